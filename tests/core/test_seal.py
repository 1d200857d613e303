"""A damaged file is told from a whole one."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cemai_opt.core.seal import opened_json, opened_yaml, sealed_json, sealed_yaml

DOCUMENT = {"a": [1, 2.5, None], "b": {"text": 'ü "crc" }'}, "score": 0.8123}


@pytest.mark.parametrize("indent", [None, 1])
def test_a_whole_file_is_what_was_written(indent: int | None) -> None:
    """And JSON for every other reader."""
    text = json.dumps(DOCUMENT, indent=indent, ensure_ascii=False) + "\n"
    sealed = sealed_json(text)
    assert set(json.loads(sealed)) == {*DOCUMENT, "crc32"}
    assert json.loads(opened_json(sealed)) == DOCUMENT
    assert json.loads(opened_json(text)) == DOCUMENT
    assert opened_yaml(sealed_yaml("a: 1\n")) == opened_yaml("a: 1\n") == "a: 1\n"


def test_no_change_of_one_character_gives_another_document() -> None:
    """It is found, or is one of the seal itself."""
    sealed = sealed_json(json.dumps(DOCUMENT))
    rng = np.random.default_rng(0)
    for place in range(len(sealed)):
        changed = sealed[:place] + chr(int(rng.integers(32, 127))) + sealed[place + 1 :]
        try:
            found = json.loads(opened_json(changed))
        except ValueError:
            continue
        assert {key: found.get(key) for key in DOCUMENT} == DOCUMENT
    with pytest.raises(ValueError, match="not what was written"):
        opened_yaml(sealed_yaml("a: 1\n").replace("a: 1", "a: 2"))
