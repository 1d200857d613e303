"""At most two arguments are positional; a third one is named where it is passed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

SOURCES = sorted((ROOT / "cemai_opt").rglob("*.py"))
MAX_POSITIONAL, MAX_POSITIONAL_FIELDS = 2, 3
OF_LIBRARIES = {
    "__exit__": "Python's protocol of context managers",
    "__call__": "WSGI",
    "_add_up": "numba compiles arguments by place",
    "_extremes": "numba",
    "_few": "numba",
    "_finish_extremes": "numba",
    "_finish_sums": "numba",
    "_narrow_down": "numba",
    "_names": "click calls it with context, parameter and value",
    "_be_quiet": "click",
    "_be_verbose": "click",
    "_show_all": "click",
    "_sums": "numba",
    "after_iteration": "XGBoost's callback",
    "fit": "scikit-learn: X, y, groups",
    "get_all_trials": "Optuna's storage",
    "get_window_bounds": "pandas' indexer",
    "sample_independent": "Optuna's sampler",
    "sample_relative": "Optuna's sampler",
}
"""Signatures that a library has decided."""


def functions(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef, list[ast.arg]]]:
    """Every function, with its positional parameters without self and cls."""
    methods = {id(f): c for c in ast.walk(tree) if isinstance(c, ast.ClassDef) for f in c.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            is_static = any(ast.unparse(d) == "staticmethod" for d in node.decorator_list)
            arguments = [*node.args.posonlyargs, *node.args.args]
            yield node, arguments[1:] if id(node) in methods and not is_static else arguments


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_third_argument_is_named(path: Path) -> None:
    """In functions, methods and constructors, except those that a library calls."""
    too_many = [
        f"{path}:{function.lineno} {function.name}"
        for function, positional in functions(ast.parse(path.read_text()))
        if len(positional) > MAX_POSITIONAL
        and function.name not in OF_LIBRARIES
        and not any("click" in ast.unparse(decorator) for decorator in function.decorator_list)
    ]
    assert too_many == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_record_of_four_fields_is_made_by_their_names(path: Path) -> None:
    """Dataclasses with more than three fields are keyword-only."""
    positional = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef):
            made = " ".join(ast.unparse(d) for d in node.decorator_list)
            fields = [f for f in node.body if isinstance(f, ast.AnnAssign) and "ClassVar" not in ast.unparse(f)]
            if "dataclass" in made and "kw_only=True" not in made and len(fields) > MAX_POSITIONAL_FIELDS:
                positional.append(node.name)
    assert positional == []
