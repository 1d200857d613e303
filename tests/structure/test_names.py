"""Every file and every public name says what it is."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

SOURCES = sorted((ROOT / "cemai_opt").rglob("*.py"))
VAGUE = {"utils", "util", "helpers", "helper", "manager", "misc", "common"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_begins_with_one_line_that_says_what_it_is(path: Path) -> None:
    """The first line of a file is one sentence."""
    first_line = (ast.get_docstring(ast.parse(path.read_text())) or "").splitlines()[0]
    assert first_line.endswith((".", ":"))
    assert path.stem not in VAGUE


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_public_names_have_docstrings(path: Path) -> None:
    """Public classes and functions, and public methods that start something of their own, are documented."""
    tree = ast.parse(path.read_text())
    kinds = (ast.FunctionDef, ast.ClassDef)
    undocumented = []
    for node in tree.body:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            undocumented += [] if ast.get_docstring(node) else [node.name]
            for inner in node.body if isinstance(node, ast.ClassDef) else []:
                if isinstance(inner, kinds) and not inner.name.startswith("_") and not ast.get_docstring(inner):
                    undocumented.append(f"{node.name}.{inner.name}")
    assert undocumented == []
