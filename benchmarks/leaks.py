"""Does any front member of a run look ahead? `python -m benchmarks.leaks RUN`.

Each member is trained once more and predicts the test rows three times: as they are, with the later half of every test
group replaced by noise, and with all test targets shuffled. Predictions of the earlier halves may not change by one bit
in the second case, no prediction may in the third. For a remaining useful life the root mean squared error at the last
row of each group is printed too, which is what the literature on C-MAPSS reports.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from cemai_opt.core.batch import Batch
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.datasets import Dataset
from cemai_opt.pipeline import Splits, job_of, read_data, stage_order
from cemai_opt.report import RunFolder
from cemai_opt.stages import STAGES


def predicted(data: Dataset, splits: Splits, plan: TrialPlan) -> Batch:
    """The batch after the plan's stages, trained on train + validation."""
    job, fold = job_of(plan, data), splits.final
    batch = Batch(job, data.X, data.y, data.group, fold.learn, fold.judge, data.names)
    for name in plan.stages:
        stage = STAGES.require(name)
        params = stage.checked(name, plan.config.params(name), job.task)
        stage().prepare(params, job)
        batch = stage().run(batch, params)
    return batch


def later_halves(data: Dataset, test: np.ndarray) -> np.ndarray:
    """Rows in the later half of each test group: (n_rows,)."""
    later = np.zeros(len(data.y), bool)
    for group in np.unique(data.group[test]):
        rows = np.flatnonzero(data.group == group)
        later[rows[len(rows) // 2 :]] = True
    return later


def values(batch: Batch) -> np.ndarray:
    """Predictions of the judged rows."""
    assert batch.prediction is not None, "evaluate has run"
    return batch.prediction.value


def main() -> None:
    """Prints a line a member, and fails where one looked ahead."""
    folder, rng = RunFolder(Path(sys.argv[1])), np.random.default_rng(0)
    study = folder.study()
    data = read_data(study.data, study.task)
    splits = Splits.of(data, study.split, study.seed)
    stages = tuple(name for name in stage_order(STAGES.names) if name != "explain")
    later = later_halves(data, splits.test)
    noisy = data.X.copy()
    noisy[later] = rng.permutation(noisy[later]) + rng.normal(size=noisy[later].shape) * np.nanstd(data.X, axis=0)
    shuffled = data.y.copy()
    shuffled[splits.test] = rng.permutation(shuffled[splits.test])
    for member in folder.front()["members"]:
        plan = TrialPlan(member["trial"], study, Config(member["config"]), "final", stages, folds=1)
        plain = predicted(data, splits, plan)
        past = ~later[plain.judge_rows]
        moved = np.abs(values(predicted(replace(data, X=noisy), splits, plan)) - values(plain))
        peeked = np.abs(values(predicted(replace(data, y=shuffled), splits, plan)) - values(plain))
        group, y = plain.group[plain.judge_rows], plain.y[plain.judge_rows]
        last = np.r_[group[1:] != group[:-1], True]
        last_rmse = float(np.sqrt(np.mean((values(plain) - y)[last] ** 2)))
        print(
            f"trial {member['trial']:4d} {member['model']:18s} {study.score} {plain.metrics[study.score]:.3f}; "
            f"past moved by {moved[past].max():g}, future by {moved[~past].max():g}, "
            f"by test targets {peeked.max():g}; last-row RMSE {last_rmse:.2f}"
        )
        assert moved[past].max() == 0.0, "a prediction of the past depends on the future"
        assert peeked.max() == 0.0, "a prediction depends on a test target"


if __name__ == "__main__":
    main()
