"""Checks that no front member of a run uses future rows or test targets: `python -m benchmarks.leaks RUN`.

Each member is trained again and predicts the test rows three times: unchanged, with the later half of every test group
replaced by noise, and with all test targets shuffled. In the second case the predictions of the earlier halves must be
bit-identical to the first, in the third all predictions. For a remaining useful life the root mean squared error at the
last row of each group is printed too, which is what the literature on C-MAPSS reports.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from cemai_opt.core.batch import Batch, BoolArray, FloatArray
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.scores import maximised
from cemai_opt.datasets import Dataset
from cemai_opt.pipeline import Splits, read_data, stage_order, task_of
from cemai_opt.runs import RunFolder
from cemai_opt.stages import STAGES


def predicted(data: Dataset, splits: Splits, *, plan: TrialPlan) -> Batch:
    """The batch after the plan's stages, trained on train + validation."""
    task, fold = task_of(plan, data), splits.final
    batch = Batch(
        task=task, X=data.X, y=data.y, group=data.group, is_train=fold.is_train, is_eval=fold.is_eval, names=data.names
    )
    for name in plan.stages:
        kind = STAGES.require(name)
        params = kind.checked(name, plan.config.params(name), task=task.kind)
        kind().prepare(params, task)
        batch = kind().run(batch, params)
    return batch


def later_halves(data: Dataset, test: BoolArray) -> BoolArray:
    """Rows in the later half of each test group: (n_rows,)."""
    later = np.zeros(len(data.y), bool)
    for group in np.unique(data.group[test]):
        rows = np.flatnonzero(data.group == group)
        later[rows[len(rows) // 2 :]] = True
    return later


def values(batch: Batch) -> FloatArray:
    """Predictions of the evaluation rows."""
    assert batch.prediction is not None, "evaluate has run"
    return batch.prediction.value


def main() -> None:
    """Prints one line per member; AssertionError where a member has used what it must not know."""
    folder, rng = RunFolder(Path(sys.argv[1])), np.random.default_rng(0)
    study = folder.study()
    data = read_data(study.data, study.task)
    splits = Splits.of(data, study.split, seed=study.seed)
    stages = tuple(name for name in stage_order(STAGES.names) if name != "explain")
    later = later_halves(data, splits.test)
    noisy = data.X.copy()
    noisy[later] = rng.permutation(noisy[later]) + rng.normal(size=noisy[later].shape) * np.nanstd(data.X, axis=0)
    shuffled = data.y.copy()
    shuffled[splits.test] = rng.permutation(shuffled[splits.test])
    for member in folder.front().members:
        plan = TrialPlan(trial=member.trial, study=study, config=member.config, phase="final", stages=stages, folds=1)
        plain = predicted(data, splits, plan=plan)
        past = ~later[plain.eval_rows]
        by_future = np.abs(values(predicted(replace(data, X=noisy), splits, plan=plan)) - values(plain))
        by_targets = np.abs(values(predicted(replace(data, y=shuffled), splits, plan=plan)) - values(plain))
        group, y = plain.group[plain.eval_rows], plain.y[plain.eval_rows]
        last = np.r_[group[1:] != group[:-1], True]
        last_rmse = float(np.sqrt(np.mean((values(plain) - y)[last] ** 2)))
        print(
            f"trial {member.trial:4d} {member.model:18s} {study.score} {plain.metrics[maximised(study.score)]:.3f}; "
            f"largest change by future rows {by_future[past].max():g} (in later halves {by_future[~past].max():g}), "
            f"by test targets {by_targets.max():g}; last-row RMSE {last_rmse:.2f}"
        )
        assert by_future[past].max() == 0.0, "a prediction depends on future rows"
        assert by_targets.max() == 0.0, "a prediction depends on a test target"


if __name__ == "__main__":
    main()
