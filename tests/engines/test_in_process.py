"""Trials in the calling process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cemai_opt.compose import PreparedStudy, prepare
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import COMPLETE, FAILED
from cemai_opt.engines import ENGINES
from cemai_opt.pipeline import build_pipeline
from tests.conftest import wear_study


@pytest.fixture
def prepared(wear_csv: Path) -> PreparedStudy:
    """The twelve tools, one fold."""
    return prepare(wear_study(wear_csv, split={"folds": 1}, engine={"name": "in_process"}))


def plan_of(prepared: PreparedStudy, trial: int = 0, **changes: object) -> TrialPlan:
    """A ridge with its defaults."""
    fields = {
        "trial": trial,
        "study": prepared.study,
        "config": prepared.space.active({"train.model": "ridge"}),
        "phase": "search",
        "stages": tuple(name for name in prepared.space.stages if name != "explain"),
        "folds": 1,
    }
    return TrialPlan(**{**fields, **changes})  # type: ignore[arg-type]  # fields of a plan


def test_it_is_done_when_it_returns(prepared: PreparedStudy) -> None:
    """One at a time, here, with the score of the pipeline; nothing is unseen by the meters of this process."""
    engine = ENGINES.require("in_process").opened(prepared.study, None)
    future = engine.run(plan_of(prepared))
    assert future.done()
    result = future.result()
    assert (result.state, result.host) == (COMPLETE, os.uname().nodename)
    assert result.score == build_pipeline(prepared.study).run(plan_of(prepared)).score
    assert engine.slots == 1
    assert engine.unseen_j() == 0.0
    engine.close()


def test_another_study_gets_its_own_rows(prepared: PreparedStudy) -> None:
    """Plans of several studies may come in turn."""
    engine = ENGINES.require("in_process").opened(prepared.study, None)
    other = prepared.study.model_copy(update={"seed": 5})
    scores = [
        engine.run(plan_of(prepared, i, study=s)).result().score for i, s in enumerate((prepared.study, other) * 2)
    ]
    assert scores[:2] == scores[2:]
    assert scores[0] != scores[1]


def test_a_fault_is_a_failed_trial(prepared: PreparedStudy) -> None:
    """And the next one runs."""
    engine = ENGINES.require("in_process").opened(prepared.study, None)
    without_samples = tuple(stage for stage in plan_of(prepared).stages if stage != "sequentialize")
    failed = engine.run(plan_of(prepared, stages=without_samples)).result()
    assert (failed.state, failed.score) == (FAILED, None)
    assert failed.reason
    assert engine.run(plan_of(prepared, 1)).result().is_complete
