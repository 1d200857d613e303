"""Runs every (set, arm, seed) in a fresh process and appends its result to a file."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.arena.datasets import INTENSITY_G_PER_KWH, SETS
from benchmarks.arena.peers import PRODUCT_ARMS, STOCK_ARMS, portfolio_of, product_command, product_result
from benchmarks.arena.result import Result, from_line, read, to_line
from benchmarks.portfolio.build import RECORDED, SIZE, built, to_yaml
from cemai_opt.core.units import grams_co2eq
from cemai_opt.meters import thread_power
from cemai_opt.spaces import unthinned

ARMS = ("hand_set", "product", *STOCK_ARMS, "flaml")
"""Arms that run unless others are named: those of the product with other options do not."""
KNOWN_ARMS = (*ARMS, *(arm for arm in PRODUCT_ARMS if arm not in ARMS))
WALL_FACTOR, WALL_S = 20.0, 600.0
"""A process that runs longer than 20 times its budget of CPU seconds plus 10 minutes is killed."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run: `study` is the file that `ArenaSet.written` wrote."""

    study: Path
    arm: str
    seed: int
    budget_mg: float

    @property
    def empty(self) -> Result:
        """A result without members."""
        return Result(set=self.study.parent.name, arm=self.arm, seed=self.seed, budget_mg=self.budget_mg)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """CPU seconds of a process with all its descendants, its seconds, and the end of its output if it failed."""

    cpu_s: float
    wall_s: float
    error: str


def run_all(jobs: list[Job], out: Path, *, at_once: int) -> None:
    """Runs all jobs that are not in `out` yet, and prints a line for each."""
    done = {result.key for result in read(out) if not result.error}
    missing = [job for job in jobs if job.empty.key not in done]
    print(f"{len(jobs) - len(missing)} of {len(jobs)} runs are done already", flush=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(at_once) as pool:
        for future in as_completed([pool.submit(run_one, job) for job in missing]):
            result = future.result()
            with out.open("a") as stream:
                stream.write(to_line(result))
            print(line_of(result), flush=True)


def run_one(job: Job) -> Result:
    """The result of a job in a process of its own, with what the system says that the process used."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "result"
        usage = _used(_command(job, target))
        result = job.empty
        if not usage.error:
            result = _product(job, target) if job.arm in PRODUCT_ARMS else from_line(target.read_text())
    grams = grams_co2eq(usage.cpu_s * thread_power().watts, INTENSITY_G_PER_KWH, pue=1.0)
    return replace(result, process_grams=grams, wall_s=usage.wall_s, error=usage.error)


def prepared_sets(names: list[str], scratch: Path, *, data_root: Path) -> list[Path]:
    """Writes the data sets that are there, and says which ones are not; returns the paths of the studies."""
    studies = []
    for name in names:
        try:
            study = SETS[name].written(scratch, data_root=data_root)
            portfolio = built(RECORDED, without=[name], size=SIZE)
            portfolio_of(study).write_text(to_yaml(unthinned(portfolio) if SETS[name].is_independent else portfolio))
            studies.append(study)
        except FileNotFoundError as error:
            print(f"skipped {name}: no file {error.filename} (--data-root or CEMAI_OPT_DATA)", flush=True)
    return studies


def usable_arms(names: list[str]) -> list[str]:
    """The arms whose libraries are installed; says which ones are not."""
    if "flaml" in names and importlib.util.find_spec("flaml") is None:
        print("skipped flaml: it is not installed (benchmarks/arena/requirements.txt)", flush=True)
        return [name for name in names if name != "flaml"]
    return names


def line_of(result: Result) -> str:
    """What `run` prints about a result."""
    start = f"{result.set:<14}{result.arm:<13}seed {result.seed}  "
    if result.error:
        return f"{start}FAILED after {result.wall_s:.0f} s: {result.error.splitlines()[-1]}"
    best, chosen = result.best, result.chosen
    scores = f"best {best.test:.3f}" if best is not None else "nothing tested"
    scores += f", chosen {chosen.test:.3f}" if chosen is not None else ""
    spent = f"{result.trials} trials, {1e3 * result.process_grams:.1f} mg, {result.wall_s:.0f} s"
    return f"{start}{result.score} {scores}, hypervolume {result.hypervolume:.3f}; {spent}"


def _command(job: Job, target: Path) -> list[str]:
    if job.arm in PRODUCT_ARMS:
        return product_command(job.study, arm=job.arm, seed=job.seed, budget_mg=job.budget_mg, out=target)
    settings = ["--study", str(job.study), "--arm", job.arm, "--seed", str(job.seed), "--out", str(target)]
    return [sys.executable, "-m", "benchmarks.arena", "one", *settings, "--budget-mg", f"{job.budget_mg:g}"]


def _product(job: Job, run: Path) -> Result:
    return product_result(run, arm=job.arm, name=job.study.parent.name, seed=job.seed, budget_mg=job.budget_mg)


def _used(command: list[str]) -> Usage:
    """Runs a command to its end and returns what it used."""
    budget_mg = float(command[command.index("--budget-mg") + 1]) if "--budget-mg" in command else 0.0
    limit_s = WALL_S + WALL_FACTOR * budget_mg * 2
    start_s = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **ONE_THREAD}, start_new_session=True
        )
        timer = threading.Timer(limit_s, os.killpg, (process.pid, signal.SIGKILL))
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode(errors="replace").strip()
    error = "" if process.returncode == 0 else said[-2000:] or f"exit status {process.returncode}"
    return Usage(cpu_s=usage.ru_utime + usage.ru_stime, wall_s=time.monotonic() - start_s, error=error)
