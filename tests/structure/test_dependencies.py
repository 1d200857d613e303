"""Every library that is imported is declared, and nothing else is."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NOT_IMPORTED = {
    "cryptography": "Dask needs it for the certificates of a local cluster",
    "mkdocs-material": "`make docs`",
    "onnxscript": "torch needs it to export networks",
    "protobuf": "a bound for skl2onnx, which needs an older one",
    "psycopg": "SQLAlchemy's driver, named in the address of a database",
}
DISTRIBUTIONS = {"mlflow": {"mlflow-skinny"}}
"""Modules that several distributions provide, and the one that is meant."""


def normalized(name: str) -> str:
    """A distribution's name as package indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    """Distributions that the product requires, those of `dev` left out."""
    extras = {k: v for k, v in PROJECT["optional-dependencies"].items() if k not in ("dev", "all")}
    required = [*PROJECT["dependencies"], *(r for requirements in extras.values() for r in requirements)]
    return {normalized(re.match(r"[\w.-]+", requirement)[0]) for requirement in required} - {"cemai-opt"}  # type: ignore[index]  # each has a name


def imported() -> Iterator[str]:
    """Top-level modules that the package imports, wherever in a file."""
    for path in (ROOT / "cemai_opt").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield str(node.module).split(".")[0]


def test_what_is_imported_is_declared() -> None:
    """And what is declared is imported, or has a reason."""
    modules = set(imported()) - set(sys.stdlib_module_names) - {"cemai_opt"}
    provided = packages_distributions()
    by_module = {m: DISTRIBUTIONS.get(m, {normalized(d) for d in provided[m]}) for m in modules}
    undeclared = {module for module, distributions in by_module.items() if not distributions & declared()}
    assert undeclared == set()
    used = {name for distributions in by_module.values() for name in distributions}
    assert declared() - used - set(NOT_IMPORTED) == set()
