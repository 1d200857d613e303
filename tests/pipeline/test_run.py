"""One plan: its stages in order, each measured, once per fold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt.compose import PreparedStudy, prepare
from cemai_opt.core.errors import MeterError
from cemai_opt.core.measurement import OVERHEAD
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.result import COMPLETE, FAILED
from cemai_opt.meters import Availability, Meter
from cemai_opt.pipeline import Pipeline, Splits, stage_order, task_of
from cemai_opt.stages import STAGES
from tests.conftest import wear_study

FOLDS = 2


class Steady(Meter):
    """A joule from reading to reading; broken after `lasts` of them."""

    def __init__(self, lasts: int = 10**6) -> None:
        self.n_read, self.lasts = 0, lasts

    @classmethod
    def availability(cls) -> Availability:
        """Always."""
        return Availability(True)

    def _read_j(self) -> float:
        self.n_read += 1
        if self.n_read > self.lasts:
            raise MeterError("the meter is gone")
        return float(self.n_read)


@pytest.fixture(scope="module")
def prepared(wear: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> PreparedStudy:
    """The twelve tools, two folds."""
    csv: Path = tmp_path_factory.mktemp("data") / "wear.csv"
    wear.to_csv(csv, index=False)
    return prepare(wear_study(csv, split={"folds": FOLDS}))


def pipeline_of(prepared: PreparedStudy, meter: Meter | None = None, **changes: np.ndarray) -> Pipeline:
    """Over the prepared rows, with some of their columns changed."""
    study = prepared.study
    splits = Splits.of(prepared.data, study.split, seed=study.seed)
    return Pipeline(replace(prepared.data, **changes), splits, meters=[meter or Steady()])


def plan_of(prepared: PreparedStudy, **changes: object) -> TrialPlan:
    """A ridge with its defaults."""
    fields = {
        "trial": 4,
        "study": prepared.study,
        "config": prepared.space.active({"train.model": "ridge"}),
        "phase": "search",
        "stages": tuple(name for name in prepared.space.stages if name != "explain"),
        "folds": FOLDS,
    }
    return TrialPlan(**{**fields, **changes})  # type: ignore[arg-type]  # fields of a plan


def test_each_stage_is_measured_in_each_fold(prepared: PreparedStudy) -> None:
    """The cost is that of one fold, all folds are spent; the score is that of all folds' predictions together."""
    plan = plan_of(prepared)
    result = pipeline_of(prepared).run(plan)
    assert (result.trial, result.state) == (4, COMPLETE)
    assert [row.stage for row in result.cost.rows] == [*plan.stages, OVERHEAD]
    assert all(row.total_j > 0.0 for row in result.cost.rows if row.stage != OVERHEAD)
    assert result.spent.energy_j == pytest.approx(FOLDS * result.cost.energy_j)
    assert len(result.fold_scores) == FOLDS
    splits = Splits.of(prepared.data, prepared.study.split, seed=prepared.study.seed)
    targets = np.concatenate([prepared.data.y[fold.is_eval] for fold in splits.search])
    assert result.score == pytest.approx(1.0 - result.metrics["mse"] / targets.var())
    assert result.score != pytest.approx(np.mean(result.fold_scores))


def test_a_search_cannot_see_test_rows(prepared: PreparedStudy) -> None:
    """They are left out of its batches, and other test rows change nothing in it, but the final score."""
    is_test = Splits.of(prepared.data, prepared.study.split, seed=prepared.study.seed).test
    assert 0 < is_test.sum() < len(is_test)
    X = np.where(is_test[:, None], 1e6, prepared.data.X)
    y = np.where(is_test, -1e6, prepared.data.y)
    for phase, is_same in (("search", True), ("final", False)):
        plan = plan_of(prepared, phase=phase, folds=FOLDS if is_same else 1)
        _, batch = pipeline_of(prepared).fitted(plan)
        assert batch is not None
        assert len(batch.X) == (~is_test if is_same else np.ones_like(is_test)).sum()
        scores = [pipeline_of(prepared, **changes).run(plan).score for changes in ({}, {"X": X, "y": y})]
        assert (scores[0] == scores[1]) == is_same


def test_a_final_run_has_the_cost_of_predictions(prepared: PreparedStudy) -> None:
    """It is spent, and not part of the cost of a fit."""
    result = pipeline_of(prepared).run(plan_of(prepared, phase="final", folds=1))
    assert result.inference is not None
    assert result.inference.total_j > 0.0
    assert "inference" not in [row.stage for row in result.cost.rows]
    assert result.spent.energy_j > result.cost.energy_j
    assert pipeline_of(prepared).run(plan_of(prepared)).inference is None


def test_a_fault_names_its_stage_and_costs_what_ran(prepared: PreparedStudy) -> None:
    """It is recorded, the batch is not given out."""
    without_samples = tuple(stage for stage in plan_of(prepared).stages if stage != "sequentialize")
    result, batch = pipeline_of(prepared).fitted(plan_of(prepared, stages=without_samples))
    assert batch is None
    assert (result.state, result.score) == (FAILED, None)
    stage = result.reason.split(":")[0]
    assert stage in without_samples
    assert result.spent.rows[-2].stage == stage
    assert result.spent.energy_j > 0.0


def test_a_broken_meter_ends_the_run(prepared: PreparedStudy) -> None:
    """Later trials could not be measured either; an unknown parameter is only this trial's."""
    with pytest.raises(MeterError, match="the meter is gone"):
        pipeline_of(prepared, Steady(lasts=5)).run(plan_of(prepared))
    config = Config({"train": {"model": "ridge", "alfa": 1.0}})
    failed = pipeline_of(prepared).run(plan_of(prepared, config=config))
    assert failed.state == FAILED
    assert "alpha" in failed.reason


def test_the_task_is_the_study_s(prepared: PreparedStudy) -> None:
    """With the classes of the data."""
    study = prepared.study.model_copy(update={"seed": 9})
    task = task_of(plan_of(prepared, study=study), prepared.data)
    assert (task.kind, task.score, task.seed, task.threads, task.n_classes) == ("regression", "r2", 9, 1, 0)


def test_stages_run_in_their_order() -> None:
    """However they are given."""
    names = stage_order(tuple(reversed(STAGES.names)))
    assert names == stage_order(STAGES.names)
    assert names.index("clean") < names.index("scale") < names.index("train") < names.index("evaluate")
