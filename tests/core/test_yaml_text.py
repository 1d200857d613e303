"""YAML of a stranger."""

from __future__ import annotations

import contextlib
import time

import pytest

from cemai_opt.core.yaml_text import parsed_yaml, yaml_text

BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 20))


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "[" * 500 + "]" * 500,
        "{a: " * 300 + "1" + "}" * 300,
        "a: 2026-02-30",
        "a: " + "9" * 5000,
        "a: [1",
        "a: !!python/object/apply:os.system [true]",
        "x" * 5_000_000,
        "a: &a [*a, *a]\n" * 200,
        "? [1, 2]\n: 3",
        "a: \ud800",
        "a: \x00",
    ],
)
def test_what_is_no_document_is_one_kind_of_error(text: str) -> None:
    """At once, whatever it would be in memory."""
    began_s = time.monotonic()
    with contextlib.suppress(ValueError):
        parsed_yaml(text)
    assert time.monotonic() - began_s < 5.0


def test_documents_come_back() -> None:
    """In the order of their keys; a few aliases are fine."""
    document = {"b": [1, 2.5, None], "a": {"text": "ü: x"}}
    assert parsed_yaml(yaml_text(document)) == document
    assert list(parsed_yaml(yaml_text(document))) == ["b", "a"]
    assert parsed_yaml("a: &x [1]\nb: *x") == {"a": [1], "b": [1]}
