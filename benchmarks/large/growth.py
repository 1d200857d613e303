"""What each stage of a pipeline costs on 10^4 to 5x10^6 rows of the Broaching demonstration."""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Sequence

import numpy as np

from cemai_opt.compose import load_study, prepare
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.pipeline import build_pipeline

SIZES = (10_000, 100_000, 1_000_000, 5_000_000)
CONFIG = {
    "featurize": {"rolling": "mean_std_range", "window_rows": 100, "scales": "short_long", "long_rows": 2000},
    "train": {"model": "xgboost"},
}
N_COLUMNS = 42
"""Columns of its training windows: six channels, and three statistics of each at two scales."""
REPEATS = 5
"""The lowest of so many runs counts: the first ones pay for memory that the system has to hand out."""
MIN_S = 0.02
"""Stages that take less than this for the smallest size are dominated by fixed costs, which leave no exponent."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    command.add_argument("--one", type=int, help="only this number of rows, in this process (used by the others)")
    command.set_defaults(command=run)


def run(args: argparse.Namespace) -> None:
    """Prints a table, or one size as JSON."""
    if args.one is not None:
        print(json.dumps(_measured(args.one)))
        return
    found = []
    for size in SIZES:
        answer = subprocess.run(
            [sys.executable, "-m", "benchmarks.large", "growth", "--one", str(size)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        found.append(json.loads(answer.stdout.splitlines()[-1]))
    print("| stage | " + " | ".join(f"{size:,} rows" for size in SIZES) + " | exponent |")
    print("|---" * (len(SIZES) + 2) + "|")
    for stage in found[-1]["stages"]:
        cells = [f"{one['stages'][stage][0]:.3g} s, {one['stages'][stage][1]:.3g} J" for one in found]
        seconds = [one["stages"][stage][0] for one in found]
        print(f"| {stage} | {' | '.join(cells)} | {_exponent(seconds)} |")
    copied = [one["copy_s"] for one in found]
    shown = " | ".join(f"{seconds:.3g} s" for seconds in copied)
    print(f"| (a plain copy of {N_COLUMNS} columns) | {shown} | {_exponent(copied)} |")
    peaks = " | ".join(f"{one['peak_mb']:.0f} MB" for one in found)
    scores = " | ".join(f"{one['score']:.3f}" for one in found)
    print(f"| peak memory | {peaks} | |\n| R2 | {scores} | |")


def _exponent(seconds: Sequence[float]) -> str:
    """The slope of log seconds over log rows, of each size; nothing if fewer than two take long enough."""
    points = [(size, s) for size, s in zip(SIZES, seconds, strict=True) if s >= MIN_S]
    if len(points) < 2:
        return ""
    return f"{np.polyfit([math.log(n) for n, _ in points], [math.log(s) for _, s in points], 1)[0]:.2f}"


def _measured(n_rows: int) -> dict[str, object]:
    """Seconds and joules by stage, the score, and the peak memory of this process, which also generates the rows."""
    study = load_study("broaching_demo")
    data = study.data.model_copy(update={"rows": n_rows})
    split = study.split.model_copy(update={"explore_rows": 0})
    prepared = prepare(study.model_copy(update={"data": data, "split": split}))
    stages = tuple(name for name in prepared.space.stages if name != "explain")
    plan = TrialPlan(trial=0, study=prepared.study, config=Config(CONFIG), phase="search", stages=stages, folds=1)
    pipeline = build_pipeline(prepared.study)
    results = [pipeline.run(plan) for _ in range(REPEATS)]
    assert all(result.is_complete for result in results), results[0].reason
    rows = [{row.stage: (row.duration_s, row.total_j) for row in result.cost.rows} for result in results]
    return {
        "stages": {stage: min(each[stage] for each in rows) for stage in rows[0]},
        "score": results[0].score,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "copy_s": _copy_s(n_rows),  # last: it takes memory
    }


def _copy_s(n_rows: int) -> float:
    """Seconds of a copy of as many rows into new memory, in which no stage that copies rows can do better."""
    rows, took = np.ones((n_rows, N_COLUMNS), np.float32), []
    for _ in range(REPEATS):
        began = time.perf_counter()
        copied = rows.copy()
        took.append(time.perf_counter() - began)
        del copied
    return min(took)
