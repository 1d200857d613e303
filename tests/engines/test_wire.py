"""A worker's answer to a plan."""

from __future__ import annotations

import json

import pytest

from cemai_opt.core.errors import CemaiError, MeterError, StudyError, TrialEndedError, TrialError
from cemai_opt.core.result import COMPLETE, Curve, CurvePoint, TrialResult
from cemai_opt.engines._wire import fault_answer, result_answer, result_in
from cemai_opt.testing.searches import NO_COST, cost_of, space_of, train_row


def test_a_result_arrives_as_it_was_sent() -> None:
    """Through JSON text: configuration, costs, curve and all."""
    point = CurvePoint(size=10, score=0.3, metrics={"r2": 0.3}, train=train_row(0.1), evaluate=NO_COST)
    result = TrialResult(
        trial=3,
        state=COMPLETE,
        config=space_of().active({"train.model": "xgboost"}),
        cost=cost_of(1 / 3),
        spent=cost_of(2 / 3),
        score=0.1 + 0.2,
        notes=("one",),
        fold_scores=(0.1, 0.5),
        curve=Curve("n_estimators", (point,)),
        host="here",
    )
    assert result_in(json.loads(json.dumps(result_answer(result)))) == result


@pytest.mark.parametrize("kind", [CemaiError, StudyError, TrialError, TrialEndedError, MeterError])
def test_an_error_is_raised_as_in_the_worker(kind: type[CemaiError]) -> None:
    """Its class decides what follows from it; its message and hint are shown."""
    with pytest.raises(CemaiError) as raised:
        result_in(json.loads(json.dumps(fault_answer(kind("no meter", "try another")))))
    assert type(raised.value) is kind
    assert (raised.value.message, raised.value.hint) == ("no meter", "try another")
