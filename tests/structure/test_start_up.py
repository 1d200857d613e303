"""What is imported when."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"torch", "sklearn", "xgboost", "shap", "pandas", "optuna", "numpy", "codecarbon"}
LOADED = "import sys; from cemai_opt.cli import cli; cli({arguments}, standalone_mode=False); print(*sys.modules)"


@pytest.mark.parametrize("arguments", [["--help"], ["optimize", "--help"], ["run", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    """Asking for help loads no library that takes long."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(arguments=arguments)], capture_output=True, text=True, check=True
    )
    assert HEAVY & set(done.stdout.split()) == set()


def test_listing_names_imports_no_part() -> None:
    """Names of parts are read from the folder."""
    code = "import sys; from cemai_opt.models import MODELS; MODELS.names; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"torch", "sklearn", "xgboost", "cemai_opt.models.ridge"} & set(done.stdout.split()) == set()


def test_sqlalchemy_is_loaded_only_where_a_database_is_used() -> None:
    """Runs with a journal, which are most, do not wait for it."""
    code = "import sys, cemai_opt.search, cemai_opt.session, cemai_opt.api; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"sqlalchemy", "cemai_opt.search.storage.database"} & set(done.stdout.split()) == set()
