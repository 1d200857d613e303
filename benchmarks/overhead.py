"""Overhead of the pipeline over a fit of about a second: `python -m benchmarks.overhead`.

Both run in this process, in turn, on the demo's rows: all stages with their meters, and the bare library call with the
same cleaned rows and hyperparameters. The ratio is that of CPU seconds, median over rounds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping

import numpy as np
import xgboost

from cemai_opt.compose import load_study, prepare
from cemai_opt.core.batch import BoolArray, FloatArray, IntArray
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.pipeline import Splits, build_pipeline
from cemai_opt.stages.clean import forward_filled

ROUNDS = 7
HYPERPARAMETERS: Mapping[str, Value] = {"n_estimators": 500, "max_depth": 10, "learning_rate": 0.05}


def _bare_rows(X: FloatArray, group: IntArray, *, is_train: BoolArray) -> FloatArray:
    """The rows that one would pass to the library: gaps filled, constant columns dropped, single precision."""
    filled = forward_filled(X, group)[is_train]
    filled = np.where(np.isnan(filled), np.nanmedian(filled, axis=0), filled)
    return filled[:, filled.min(axis=0) < filled.max(axis=0)].astype(np.float32)


def main() -> None:
    """Prints the ratio, and the CPU time of each stage."""
    prepared = prepare(load_study("demo"))
    study, data = prepared.study, prepared.data
    fold = Splits.of(data, study.split, seed=study.seed).search[0]
    X, y = _bare_rows(data.X, data.group, is_train=fold.is_train), data.y[fold.is_train]
    stages = tuple(name for name in prepared.space.stages if name != "explain")
    config = Config({"train": {"model": "xgboost", **HYPERPARAMETERS}})
    plan = TrialPlan(trial=0, study=study, config=config, phase="search", stages=stages, folds=1)
    pipeline = build_pipeline(study)
    pipeline.run(plan)
    ratios, bare_s = [], []
    for _ in range(ROUNDS):
        start = time.process_time()
        xgboost.XGBRegressor(**HYPERPARAMETERS, tree_method="hist", n_jobs=1, random_state=0).fit(X, y)
        bare_s.append(time.process_time() - start)
        start = time.process_time()
        result = pipeline.run(plan)
        ratios.append((time.process_time() - start) / bare_s[-1])
    assert result.is_complete, result.reason
    print(f"bare fit {statistics.median(bare_s):.2f} CPU s; whole pipeline / bare fit: {statistics.median(ratios):.3f}")
    for row in result.cost.rows:
        print(f"  {row.stage:14s} {row.cpu_s * 1000:9.2f} ms")


if __name__ == "__main__":
    main()
