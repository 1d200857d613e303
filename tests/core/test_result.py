"""What became of a trial."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.plan import Config
from cemai_opt.core.result import (
    COMPLETE,
    FAILED,
    NOISY_LOAD,
    PRUNED,
    REPEAT,
    SKIPPED,
    Curve,
    CurvePoint,
    TrialResult,
    curve_candidate,
)
from cemai_opt.core.serialization import from_json, to_json


def row(stage: str, energy_j: float) -> Measurement:
    """The cost of one stage."""
    return Measurement(
        stage=stage, duration_s=1.0, cpu_s=1.0, energy_j={"cpu": energy_j}, uncertainty_j=0.1, source="test"
    )


SMALL = CurvePoint(size=10, score=0.6, metrics={"r2": 0.6}, train=row("train", 1.0), evaluate=row("evaluate", 0.5))
PARENT = TrialResult(
    trial=7,
    state=PRUNED,
    reason="it cannot reach the front",
    config=Config({"scale": {"input": "none"}, "train": {"model": "xgboost", "n_estimators": 100}}),
    cost=Cost((row("scale", 3.0), row("train", 9.0), row("evaluate", 2.0), row("overhead", 0.5))),
    spent=Cost((row("train", 30.0),)),
    importances={"force": 1.0},
    repeats_j=(1.0, 2.0),
    curve=Curve("n_estimators", (SMALL,)),
)


def test_a_point_of_a_curve_is_the_pipeline_with_the_smaller_model() -> None:
    """It costs what the stages before it cost and the shorter training; nothing ran for it."""
    small = curve_candidate(PARENT, SMALL, trial=8)
    assert (small.trial, small.parent, small.score, small.state, small.reason) == (8, 7, 0.6, COMPLETE, "")
    assert small.config.params("train") == {"model": "xgboost", "n_estimators": 10}
    assert small.config.params("scale") == {"input": "none"}
    assert {r.stage: r.total_j for r in small.cost.rows} == {
        "scale": 3.0,
        "train": 1.0,
        "evaluate": 0.5,
        "overhead": 0.5,
    }
    assert small.spent.energy_j == 0.0
    assert not small.has_run


def test_a_point_of_a_curve_inherits_nothing_that_was_measured_of_the_larger_model() -> None:
    """No importances, no repeats, no curve of its own."""
    small = curve_candidate(PARENT, SMALL, trial=8)
    assert (dict(small.importances), small.repeats_j, small.fold_scores, small.curve) == ({}, (), (), None)


@pytest.mark.parametrize(
    ("changes", "has_run"),
    [
        ({}, True),
        ({"reason": f"{REPEAT}3"}, False),
        ({"reason": f"{SKIPPED}too expensive"}, False),
        ({"parent": 3}, False),
        ({"state": FAILED, "reason": "train: not run: a word in the middle"}, True),
    ],
)
def test_only_what_ran_counts_as_run(changes: dict[str, object], has_run: bool) -> None:
    """A budget of trials is not spent on known results."""
    assert replace(PARENT, **changes).has_run == has_run  # type: ignore[arg-type]  # passed on


def test_a_result_is_noisy_above_the_limit_only() -> None:
    """A tenth of the machine is tolerated."""
    assert not replace(PARENT, foreign_load=NOISY_LOAD).is_noisy
    assert replace(PARENT, foreign_load=math.nextafter(NOISY_LOAD, 1.0)).is_noisy


@given(st.floats(), st.floats())
def test_a_result_survives_its_line_of_json(score: float, metric: float) -> None:
    """A metric may be infinite, or no number."""
    result = replace(PARENT, score=score, metrics={"mape": metric}, inference=row("inference", 0.1), host="a")
    back = from_json(TrialResult, json.loads(json.dumps(to_json(result))))
    assert repr(back) == repr(result)
