"""A trial may do to its process what it likes: it becomes a failed trial, and the next one runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cemai_opt.core.study import EngineSpec
from cemai_opt.meters._cpu_clock import descendants
from tests.conftest import ROOT
from tests.engines.conftest import gone, outcomes_of

FAULTS = "none,segfault,none,exit,leave,hang,raise,nan,eat,children,none,orphans,kill,none"


@pytest.fixture(scope="module")
def outcomes(product: Path, wear: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The outcome of each trial by its fault (the last one of a kind), and what is left at the end."""
    csv = tmp_path_factory.mktemp("data") / "wear.csv"
    wear.to_csv(csv, index=False)
    return outcomes_of(product, csv, FAULTS, "worker_process")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("segfault", "its process was killed by SIGSEGV"),
        ("exit", "its process ended itself with exit status 3"),
        ("leave", "the trial tried to end its process: SystemExit goodbye"),
        ("hang", "it ran longer than 4 s (--trial-timeout)"),
        ("raise", "train: ValueError: no"),
        ("nan", "evaluate: "),
        ("eat", "memory"),
        ("orphans", "its process ended itself with exit status 4"),
        ("kill", "its process was killed by SIGKILL, by a user or for lack of memory"),
    ],
)
def test_a_fault_is_a_failed_trial_with_its_reason(
    outcomes: dict[str, dict[str, Any]], fault: str, reason: str
) -> None:
    """Whatever a trial does, what comes back is a failed trial that says so, with what it has spent."""
    assert outcomes[fault]["state"] == "failed"
    assert reason.lower() in outcomes[fault]["reason"].lower()
    assert sum(sum(row["energy_j"].values()) for row in outcomes[fault]["spent"]) > 0.0
    assert outcomes[fault]["wall_s"] < 10.0


def test_the_next_trial_runs(outcomes: dict[str, dict[str, Any]]) -> None:
    """A trial after others that crashed is complete, as if nothing had been."""
    assert outcomes["none"]["state"] == "complete", outcomes["none"]["reason"]
    assert outcomes["children"]["state"] == "complete", outcomes["children"]["reason"]


@pytest.mark.parametrize("fault", ["children", "orphans"])
def test_nothing_that_a_trial_started_outlives_it(outcomes: dict[str, dict[str, Any]], fault: str) -> None:
    """Children in other sessions that ignore signals, and grandchildren of nobody, are gone with the trial."""
    assert outcomes[fault]["pids"] == []


def test_nothing_outlives_the_engine(outcomes: dict[str, dict[str, Any]]) -> None:
    """After `close` the process that asked has no descendants."""
    assert outcomes["end"] == {"left": [], "named": [], "unseen_j": 0.0}


def test_everything_dies_with_a_killed_driver(product: Path, wear_csv: Path) -> None:
    """kill -9 of the process that asked takes the workers with it, and what hangs in them."""
    driver = subprocess.Popen(
        [sys.executable, ROOT / "tests" / "engines" / "misbehave.py", wear_csv, "children,hang", "worker_process"],
        env={**os.environ, "PYTHONPATH": str(product)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert driver.stdout is not None
    driver.stdout.readline()
    time.sleep(0.5)
    below = descendants(driver.pid)
    assert len(below) >= 2
    driver.kill()
    driver.wait()
    assert gone(below)


def test_defaults_are_one_worker_in_a_process_of_its_own() -> None:
    """Nobody has to ask for isolation, and nobody gets measurements beside other trials unasked."""
    assert EngineSpec().name == "worker_process"
    assert EngineSpec().workers == 1
