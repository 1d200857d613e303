"""A place where studies run under faults, and the reckoning afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cemai_opt.core.result import TrialResult
from cemai_opt.datasets.demo import tool_wear_runs
from cemai_opt.meters._cpu_clock import descendants
from tests.house.strange_house import build_house

LENS = """models: [naughty, ridge]
genes:
  naughty.deed: [{deeds}]
  naughty.milliseconds: {{low: 0, high: {milliseconds}}}
"""
OPTIONS = ["--target", "tool_wear", "--group", "run", "--space", "lens.yaml", "--no-audit", "--explain", "never"]
OPTIONS += ["--no-stop-early", "--trial-timeout", "3", "--trial-memory", "300"]
PATIENCE_S = 180.0


@dataclass
class Toll:
    """What one scenario has cost."""

    fault: str
    injected: int = 0
    lost: int = 0
    twice: int = 0
    wrong: int = 0
    remark: list[str] = field(default_factory=list)


class Site:
    """A folder with a naughty house, data, and one study."""

    def __init__(
        self, folder: Path, deeds: Sequence[str] = ("none",), milliseconds: int = 60, trials: int = 40
    ) -> None:
        self.folder, self.trials = folder, trials
        naughty = Path(__file__).with_name("naughty.py").read_text()
        self._house = build_house(folder / "house", {"models/naughty": naughty})
        tool_wear_runs(n_runs=12, seed=7).to_csv(folder / "wear.csv", index=False)
        (folder / "lens.yaml").write_text(LENS.format(deeds=", ".join(deeds), milliseconds=milliseconds))
        self._seen: dict[str, dict[int, str]] = {}

    @property
    def environment(self) -> dict[str, str]:
        """What every process of the site is started with."""
        return {**os.environ, "PYTHONPATH": str(self._house), "NO_COLOR": "1", "COLUMNS": "200"}

    def start(
        self, *more: object, run: str = "run", environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """A driver on the run folder `run`."""
        command = [sys.executable, "-m", "cemai_opt", "optimize", "--data", "wear.csv", *OPTIONS, "--confirm", "1"]
        command += ["--trials", str(self.trials), "--out", run, *map(str, more)]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self.environment, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def lines(self, run: str = "run") -> dict[int, str]:
        """Finished trials as they are written, whole lines only, by number."""
        file = self.folder / run / "trials.jsonl"
        text = file.read_text() if file.exists() else ""
        whole = text[: text.rfind("\n") + 1].splitlines()
        return {int(json.loads(line)["trial"]): line for line in whole}

    def note(self, run: str = "run") -> None:
        """Remembers what is finished now: none of it may be lost."""
        self._seen.setdefault(run, {}).update(self.lines(run))

    def wait_for(self, n: int, driver: subprocess.Popen[str], run: str = "run") -> bool:
        """Waits until so many trials are finished; False where the driver ended before."""
        end_s = time.monotonic() + PATIENCE_S
        while len(self.lines(run)) < n and time.monotonic() < end_s:
            if driver.poll() is not None:
                return False
            time.sleep(0.02)
        return True

    def kill_below(self, driver: subprocess.Popen[str], pick: int) -> bool:
        """kill -9 of one process below the driver, be it a worker or what starts them, once there is a worker."""
        below = descendants(driver.pid)
        if len(below) < 2:
            return False
        try:
            os.kill(below[pick % len(below)], signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def reckon(self, toll: Toll, code: int, output: str, run: str = "run", storage: bool = False) -> None:
        """Compares what is there at the end with what was there before, and with itself."""
        lines = self.lines(run)
        toll.lost += sum(lines.get(trial) != line for trial, line in self._seen.get(run, {}).items())
        results = [TrialResult.from_json(json.loads(line)) for line in lines.values()]
        ran = Counter(result.config.digest for result in results if result.has_run)
        toll.twice += sum(n - 1 for n in ran.values())
        n_lines = (self.folder / run / "trials.jsonl").read_text().count("\n")
        faults = []
        if code != 0:
            faults.append(f"exit {code}: {output[-300:]}")
        if n_lines != len(lines):
            faults.append("a number twice")
        if sum(ran.values()) < self.trials:
            faults.append(f"{sum(ran.values())} of {self.trials} trials")
        if code == 0:
            search = json.loads((self.folder / run / "summary.json").read_text())["search"]
            spent_j = sum(result.spent.energy_j for result in results)
            if sum(row["energy_j"] for row in search["ledger"]) < spent_j * (1 - 1e-9):
                faults.append("the ledger holds less than its trials")
            if not storage:
                faults += self._disagreements(results, run)
        toll.wrong += bool(faults)
        toll.remark += faults

    def _disagreements(self, results: Sequence[TrialResult], run: str) -> list[str]:
        """Where Optuna's journal and the run folder tell different things."""
        import optuna
        from optuna.storages.journal import JournalFileBackend

        backend = JournalFileBackend(str(self.folder / run / "optuna.journal"))
        study = optuna.load_study(study_name="wear", storage=optuna.storages.JournalStorage(backend))
        states = {trial.number: trial.state.name for trial in study.get_trials(deepcopy=False)}
        told = {"complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}
        return [
            f"trial {result.trial} is {states.get(result.trial)} for Optuna, {result.state} in the folder"
            for result in results
            if states.get(result.trial) != told[result.state]
        ] + [f"trial {number} is still {state}" for number, state in states.items() if state == "RUNNING"]


def finished(driver: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit status and output of a driver that may end by itself."""
    try:
        output, _ = driver.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        driver.kill()
        output, _ = driver.communicate()
        return -1, f"did not end within {PATIENCE_S:g} s: {output}"
    return driver.returncode, output
