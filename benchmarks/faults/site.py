"""A folder in which a study runs while faults are injected, and the consistency check afterwards."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from cemai_opt.core.result import COMPLETE, FAILED, PRUNED, TrialResult
from cemai_opt.core.serialization import from_json
from cemai_opt.datasets.demo import tool_wear_runs
from cemai_opt.runs import RunFolder
from cemai_opt.search.storage import JOURNAL

ROOT = Path(__file__).parents[2]
PRODUCT = ("cemai_opt", "search_spaces", "studies")
SPACE = """models: [misbehaving, ridge]
hyperparameters:
  misbehaving.fault: [{faults}]
  misbehaving.milliseconds: {{low: 0, high: {milliseconds}}}
"""
OPTIONS = ["--target", "tool_wear", "--group", "run", "--space", "space.yaml", "--no-audit", "--explain", "never"]
OPTIONS += ["--no-stop-early", "--trial-timeout", "3", "--trial-memory", "300", "--confirm", "1"]
PATIENCE_S = 180.0
"""A driver that takes longer than this has not ended."""
STATES = {COMPLETE: "COMPLETE", PRUNED: "PRUNED", FAILED: "FAIL"}
"""Optuna's name for each state of a trial."""


@dataclass
class FaultReport:
    """What one scenario did to a study: how many faults were injected, and what they broke."""

    fault: str
    injected: int = 0
    lost: int = 0
    twice: int = 0
    wrong: int = 0
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Ended:
    """Exit status of a driver, and what it printed."""

    code: int
    output: str


class Site:
    """A folder with a copy of the product that has the misbehaving model, with data, and with one study."""

    def __init__(
        self, folder: Path, *, faults: Sequence[str] = ("none",), milliseconds: int = 60, trials: int = 40
    ) -> None:
        self.folder, self.trials = folder, trials
        self._product = folder / "product"
        for part in PRODUCT:
            shutil.copytree(ROOT / part, self._product / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(Path(__file__).with_name("misbehaving.py"), self._product / "cemai_opt" / "models")
        tool_wear_runs(n_runs=12, seed=7).to_csv(folder / "wear.csv", index=False)
        (folder / "space.yaml").write_text(SPACE.format(faults=", ".join(faults), milliseconds=milliseconds))
        self._finished: dict[str, dict[int, str]] = {}

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of every process of the study."""
        return {**os.environ, "PYTHONPATH": str(self._product), "NO_COLOR": "1", "COLUMNS": "200"}

    def start(
        self, *options: object, run: str = "run", environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Starts a driver on the run folder `run`."""
        command = [sys.executable, "-m", "cemai_opt", "optimize", "--data", str(self.folder / "wear.csv"), *OPTIONS]
        command += ["--trials", str(self.trials), "--out", run, *map(str, options)]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self.environment, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def lines(self, run: str = "run") -> dict[int, str]:
        """Complete lines of `trials.jsonl`, by trial."""
        file = self.folder / run / "trials.jsonl"
        text = file.read_text() if file.exists() else ""
        complete = text[: text.rfind("\n") + 1].splitlines()
        return {int(json.loads(line)["trial"]): line for line in complete}

    def remember(self, run: str = "run") -> None:
        """Remembers the trials that are finished now: none of them may be lost."""
        self._finished.setdefault(run, {}).update(self.lines(run))

    def wait_for(self, n: int, driver: subprocess.Popen[str], *, run: str = "run") -> bool:
        """Waits until `n` trials are finished; False where the driver ended before."""
        end_s = time.monotonic() + PATIENCE_S
        while len(self.lines(run)) < n and time.monotonic() < end_s:
            if driver.poll() is not None:
                return False
            time.sleep(0.02)
        return True

    def kill_descendant(self, driver: subprocess.Popen[str], index: int) -> bool:
        """kill -9 of a worker or of the fork server; False where the driver has no worker yet."""
        try:
            descendants = psutil.Process(driver.pid).children(recursive=True)
            if len(descendants) < 2:
                return False
            os.kill(descendants[index % len(descendants)].pid, signal.SIGKILL)
        except (psutil.NoSuchProcess, ProcessLookupError):
            return False
        return True

    def check(self, report: FaultReport, ended: Ended, *, run: str = "run", has_database: bool = False) -> None:
        """Compares the finished run with the trials remembered from before, and its files with each other."""
        lines = self.lines(run)
        report.lost += sum(lines.get(trial) != line for trial, line in self._finished.get(run, {}).items())
        results = [from_json(TrialResult, json.loads(line)) for line in lines.values()]
        ran = Counter(result.config.digest for result in results if result.has_run)
        report.twice += sum(n - 1 for n in ran.values())
        file = self.folder / run / "trials.jsonl"
        n_lines = file.read_text().count("\n") if file.exists() else 0
        errors = []
        if ended.code != 0:
            errors.append(f"exit status {ended.code}: {ended.output[-300:]}")
        if n_lines != len(lines):
            errors.append("two lines have the same trial number")
        if sum(ran.values()) < self.trials:
            errors.append(f"{sum(ran.values())} of {self.trials} trials")
        if ended.code == 0:
            ledger = RunFolder(self.folder / run).summary().search.ledger
            spent_j = sum(result.spent.energy_j for result in results)
            if sum(entry.energy_j for entry in ledger) < spent_j * (1 - 1e-9):
                errors.append("the ledger has fewer joules than the trials")
            if not has_database:
                errors += self._contradictions(results, run)
        report.wrong += bool(errors)
        report.remarks += errors

    def _contradictions(self, results: Sequence[TrialResult], run: str) -> list[str]:
        """Where Optuna's journal and `trials.jsonl` contradict each other."""
        import optuna
        from optuna.storages.journal import JournalFileBackend

        backend = JournalFileBackend(str(self.folder / run / JOURNAL))
        study = optuna.load_study(study_name="wear", storage=optuna.storages.JournalStorage(backend))
        states = {trial.number: trial.state.name for trial in study.get_trials(deepcopy=False)}
        return [
            f"trial {result.trial} is {states.get(result.trial)} in the journal, {result.state} in trials.jsonl"
            for result in results
            if states.get(result.trial) != STATES[result.state]
        ] + [f"trial {number} is still {state}" for number, state in states.items() if state == "RUNNING"]


def finished(driver: subprocess.Popen[str]) -> Ended:
    """Waits for a driver; one that takes too long is killed, and its exit status is -1."""
    try:
        output, _ = driver.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        driver.kill()
        output, _ = driver.communicate()
        return Ended(-1, f"did not end within {PATIENCE_S:g} s: {output}")
    return Ended(driver.returncode, output)
