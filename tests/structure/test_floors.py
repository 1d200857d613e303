"""Imports only go down, and never in a circle; imports inside functions and for type checking count as well."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import ROOT

FLOORS = (
    "core",
    "options",
    "datasets",
    "models",
    "meters",
    "carbon",
    "stages",
    "runs",
    "pipeline",
    "report",
    "engines",
    "deploy",
    "search",
    "dashboard",
    "spaces",
    "open_choices",
    "compose",
    "session",
    "updating",
    "api",
    "estimators",
    "testing",
    "cli",
    "__main__",
)
"""Every folder and module of the package, lowest first: one may import those before it, and nothing else."""
PACKAGE = ROOT / "cemai_opt"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TOP = PACKAGE / "__init__.py"
"""The package itself offers the names of the Python interface, lazily; nothing imports them from there."""


@cache
def module_of(path: Path) -> str:
    """Dotted name of a source file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in SOURCES}


def floor_of(module: str) -> int:
    return FLOORS.index(module.split(".")[1])


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Modules of the package that a file imports, wherever in the file."""
    return frozenset(name for name in _imported(ast.parse(path.read_text())) if name.startswith("cemai_opt."))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import hides its floor"
            submodules = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else str(node.module) for name in submodules)


def test_every_floor_is_a_folder_or_module() -> None:
    """The list above is the whole package."""
    found = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in SOURCES} - {"__init__"}
    assert found == set(FLOORS)


@pytest.mark.parametrize("path", [p for p in SOURCES if p != TOP], ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_only_go_down(path: Path) -> None:
    """A file imports its own folder and lower floors."""
    own = floor_of(module_of(path))
    assert {name for name in imports_of(path) if floor_of(name) > own} == set()


def test_no_file_imports_itself_in_a_circle() -> None:
    """Not through its own folder either; a part that imports its registry is no circle, as registries import lazily."""
    graph = {module: imports_of(path) - {module} for module, path in MODULES.items()}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
