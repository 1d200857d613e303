"""Runs searches without a budget and writes down what they took."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from benchmarks.arena.datasets import SETS
from cemai_opt import compose
from cemai_opt.meters import thread_power, work_s
from cemai_opt.runs import RunFolder
from cemai_opt.runs.forecast import peak_memory_bytes, trained_values
from cemai_opt.search import DRIVER
from cemai_opt.session import Session

TRIALS, SHARES = (25, 100), (1.0, 0.3)
PROGRAM = (sys.executable, "-m", "benchmarks.forecast", "one")


def record_all(names: list[str], out: Path, *, at_once: int, data_root: Path) -> None:
    """Runs what is not in the file yet, each in a process of its own, and adds a line for each run."""
    known = {_key(json.loads(line)) for line in out.read_text().splitlines()} if out.exists() else set()
    with tempfile.TemporaryDirectory(prefix="forecast_") as scratch:
        studies = {name: SETS[name].written(Path(scratch), data_root=data_root) for name in names or SETS}
        jobs = [
            (study, trials, share)
            for trials in TRIALS
            for share in SHARES
            for name, study in studies.items()
            if (name, trials, share) not in known
        ]
        with ThreadPoolExecutor(at_once) as pool:
            for line in pool.map(lambda job: _line(*job), jobs):
                if line:
                    with out.open("a") as stream:
                        stream.write(line)


def _key(row: dict[str, Any]) -> tuple[str, int, float]:
    return row["set"], row["trials"], row["share"]


def _line(study: Path, trials: int, share: float) -> str:
    options = ["--study", str(study), "--trials", str(trials), "--share", str(share)]
    done = subprocess.run([*PROGRAM, *options], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    print(lines[-1] if lines else f"{study.parent.name} {trials} {share}: {done.stderr[-300:]}", flush=True)
    return f"{lines[-1]}\n" if lines else ""


def recorded(path: Path, *, trials: int, share: float) -> str:
    """One line of JSON about a run: CPU seconds of trials, the rest, and a fixed piece of work; seconds, bytes."""
    began_s, machine_s = time.monotonic(), work_s()
    document = yaml.safe_load(path.read_text())
    with tempfile.TemporaryDirectory(prefix="forecast_") as scratch:
        document["data"] = _thinned(document["data"], share=share, scratch=Path(scratch))
        document["search"] = {"trials": trials}
        study = Path(scratch) / "study.yaml"
        study.write_text(yaml.safe_dump(document))
        prepared = compose.prepare(compose.load_study(str(study)), whole_process=True)
        record = Session(prepared, RunFolder(Path(scratch) / "run"), with_audit=False).run()
    driver_j = math.fsum(row.energy_j for row in record.spent if row.entry == DRIVER)
    trials_j = math.fsum(row.energy_j for row in record.spent if row.entry != DRIVER)
    row = {
        "set": path.parent.name,
        "trials": trials,
        "share": share,
        "ran": record.counts.trials,
        "values": trained_values(prepared.study, prepared.data.X.shape),
        "work_s": machine_s,
        "driver_cpu_s": driver_j / thread_power().watts,
        "trials_cpu_s": trials_j / thread_power().watts,
        "wall_s": time.monotonic() - began_s,
        "memory_bytes": peak_memory_bytes(prepared.study),
    }
    return json.dumps(row)


def _thinned(data: dict[str, Any], *, share: float, scratch: Path) -> dict[str, Any]:
    """The data with a share of its groups, or the first share of its rows; a group file of its own for each part."""
    if share >= 1.0:
        return data
    thinned = dict(data)
    for key in ("path", "test"):
        if key in data:
            rows = pd.read_parquet(data[key])
            group = data.get("group")
            names = rows[group].unique() if group else np.array([])
            n_kept = max(6, round(share * len(names)))
            kept = rows[rows[group].isin(names[:n_kept])] if group else rows.iloc[: round(share * len(rows))]
            thinned[key] = str(scratch / f"{key}.parquet")
            kept.to_parquet(thinned[key], index=False)
    return thinned
