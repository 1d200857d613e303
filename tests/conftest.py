"""What many tests share: a small data set with groups, and a way to run the command line."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy: tests run side by side, and waiting threads use up a core

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt.core.study import StudySpec
from cemai_opt.core.study_file import parse_study
from cemai_opt.datasets.demo import tool_wear_runs
from tests.forked import Forks

ROOT = Path(__file__).parent.parent

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def wear() -> pd.DataFrame:
    """Twelve generated tools."""
    return tool_wear_runs(n_runs=12, seed=7)


@pytest.fixture
def wear_csv(wear: pd.DataFrame, tmp_path: Path) -> Path:
    """The twelve tools as a CSV file."""
    path = tmp_path / "wear.csv"
    wear.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """A process that has loaded what the command line needs."""
    forks = Forks()
    yield forks
    forks.close()


@pytest.fixture
def cli(tmp_path: Path, forks: Forks) -> Cli:
    """Runs `python -m cemai_opt` in a temporary folder: in a fork, or in a new process if `is_new`."""

    def run(*arguments: object, folder: Path = tmp_path, is_new: bool = False) -> subprocess.CompletedProcess[str]:
        if arguments[0] == "optimize" and "--help" not in arguments and "--report" not in arguments:
            arguments = (*arguments, "--no-report")  # most tests are about something else
        words = [str(argument) for argument in arguments if argument != "--report"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "NO_COLOR": "1"}
        if not is_new:
            return forks.run(words, folder=folder, environment=environment)
        command = [sys.executable, "-m", "cemai_opt", *words]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, env=environment)

    return run


def wear_study(path: Path, **changes: object) -> StudySpec:
    """A study of the twelve tools; `changes` are top-level keys of the study file."""
    data = {"path": str(path), "target": "tool_wear", "group": "run", "time": "cut"}
    return parse_study({"name": "wear", "data": data, "space": "quick", **changes}, "test")


def two_groups(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Random rows (2n, 3) in two groups."""
    return np.random.default_rng(0).normal(size=(2 * n, 3)), np.repeat([0, 1], n)
