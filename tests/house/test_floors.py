"""Imports only go down."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

FLOORS = [{"core"}, {"datasets", "models", "meters"}, {"stages"}, {"pipeline"}, {"engines"}, {"search", "report"}]
TOP = {"compose", "session", "export", "options", "api", "estimators", "cli", "__main__", "__init__"}
PACKAGE = ROOT / "cemai_opt"


def floor_of(name: str) -> int:
    return next((i for i, names in enumerate(FLOORS) if name in names), len(FLOORS))


def imports_of(path: Path) -> set[str]:
    """Names right under `cemai_opt` that a file imports, type-checking imports too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        modules = []
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            modules = (
                [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "cemai_opt" else [node.module]
            )
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        found |= {m.split(".")[1] for m in modules if m.startswith("cemai_opt.")}
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_only_go_down(path: Path) -> None:
    """A file imports its own folder and lower floors; folders of one floor do not know each other."""
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    climbing = {
        name
        for name in imports_of(path) - {own, "__version__"}
        if floor_of(name) > floor_of(own) or (floor_of(name) == floor_of(own) and own not in TOP)
    }
    assert climbing == set(), f"{path.name} climbs to {climbing}"


def test_relative_imports_are_not_used() -> None:
    """Every import names its floor, so that the walk above sees it."""
    relative = [
        path
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level > 0
    ]
    assert relative == []
