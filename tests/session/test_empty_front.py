"""Why a run has no front."""

from __future__ import annotations

import pytest

from cemai_opt.core.errors import TrialError
from cemai_opt.core.result import COMPLETE, FAILED, PRUNED, TrialResult
from cemai_opt.runs import RunRecord
from cemai_opt.session.empty_front import refuse_empty_front
from cemai_opt.testing.searches import cost_of, space_of, study_of


def result(trial: int, state: str, score: float | None = None, reason: str = "") -> TrialResult:
    """A ridge that cost a joule."""
    config, spent = space_of().active({"train.model": "ridge"}), cost_of(1.0)
    return TrialResult(trial=trial, state=state, config=config, cost=spent, spent=spent, score=score, reason=reason)


def test_a_front_is_no_error() -> None:
    """One complete trial is enough."""
    refuse_empty_front(RunRecord(study=study_of(), results=[result(0, FAILED, reason="x"), result(1, COMPLETE, 0.1)]))


@pytest.mark.parametrize(
    ("rules", "results", "says"),
    [
        ({}, [], "no trial was run \\(the time is up\\)"),
        (
            {},
            [result(0, FAILED, reason="a"), result(1, FAILED, reason="b"), result(2, FAILED, reason="b")],
            "none of 3 trials was complete; the reason of 2: b",
        ),
        (
            {"max_carbon_g": 1e-6},
            [result(0, PRUNED, reason="too expensive")],
            "no pipeline costs less than .*--max-grams",
        ),
        (
            {"min_score": 0.9},
            [result(0, COMPLETE, 0.5), result(1, COMPLETE, 0.25)],
            "none of 2 pipelines satisfies --max-grams and --min-score: the best scores 0.500, the greenest costs",
        ),
    ],
)
def test_an_empty_front_has_its_reason(rules: dict[str, float], results: list[TrialResult], says: str) -> None:
    """The most frequent one, with what to change."""
    with pytest.raises(TrialError, match=says) as raised:
        refuse_empty_front(RunRecord(study=study_of(**rules), results=results, ended="the time is up"))
    assert raised.value.hint
