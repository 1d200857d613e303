"""Tests mirror the sources: who looks for the test of a file finds it under the same name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "cemai_opt"
OWN = {
    "structure": "rules about the sources",
    "contracts": "what every part promises",
    "fuzz": "families of inputs that have gone wrong somewhere",
    "formats": "files of earlier versions",
}
"""Folders of tests that are about no single folder of the sources."""
PARTS = ("models", "stages", "search/samplers")
"""Folders whose parts are tested together, in tests/contracts."""
TESTED_TOGETHER = {
    "engines": "what runs in another process is tested through the engine that starts it",
    "meters": "parts of a meter that only its tests can drive",
    "cli": "commands are tested as a shell calls them, several at a time",
    "session": "a session is tested through the command line as well",
    "testing": "doubles are tested by what is tested with them",
    "deploy": "a model folder is tested as a whole: exported, loaded, predicted with",
}
"""Folders in which not every file has a test of its own name, and why."""


def name_of(source: Path) -> str:
    return source.stem.removeprefix("_")


TESTS = sorted(p for p in (ROOT / "tests").rglob("test_*.py") if p.parent != ROOT / "tests")


@pytest.mark.parametrize("path", TESTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_test_is_where_its_source_is(path: Path) -> None:
    """The folder exists in the package; commands, contracts and structure have folders of their own."""
    folder = path.parent.relative_to(ROOT / "tests")
    if folder.parts[0] not in OWN:
        assert (PACKAGE / folder).is_dir()


@pytest.mark.parametrize("path", TESTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_test_reaches_into_private_attributes(path: Path) -> None:
    """Of the product; the watch over private names of libraries has to."""
    import ast

    if path.name == "test_library_private_names.py":
        return
    reached = [
        f"{path.name}:{node.lineno} {ast.unparse(node)}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and node.attr not in ("_repr_html_", "_repr_png_")
        and ast.unparse(node.value) not in ("self", "cls", "os", "sys")
    ]
    assert reached == []


TESTED_THROUGH = {
    "dashboard/published.py": "tests/dashboard/test_access.py asks for what it publishes",
    "dashboard/server.py": "tests/dashboard/test_access.py starts it",
    "pipeline/build.py": "tests/contracts/test_every_engine.py builds with it",
    "search/context.py": "a record without logic",
}
"""Sources without a test of their own name, and what tests them."""
SOURCES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.stem != "__init__"
    and path.parent != PACKAGE
    and (folder := str(path.parent.relative_to(PACKAGE))) not in PARTS
    and folder not in TESTED_TOGETHER
    and str(path.relative_to(PACKAGE)) not in TESTED_THROUGH
]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_source_has_a_test_of_its_name(path: Path) -> None:
    """In the folder of the same name."""
    folder = ROOT / "tests" / path.parent.relative_to(PACKAGE)
    assert (folder / f"test_{name_of(path)}.py").is_file()
