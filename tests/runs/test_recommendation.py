"""What a newcomer reads at the end of a run: three pipelines in plain words, or why there is none."""

from __future__ import annotations

import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.runs import RunFront
from cemai_opt.runs.dummy import DummyScore
from cemai_opt.runs.recommendation import BALANCED, BEST, GOOD, YearlyUse, recommendation_lines, recommendations_of
from tests.results import FRONT, confirmed, run_of, stage, trial

USE = YearlyUse(retrainings=10, predictions=5000)
MEAN = DummyScore(prediction="the mean", validation=0.0, test=-0.1)


def names_of(front: RunFront, use: YearlyUse = USE) -> dict[int, tuple[str, ...]]:
    """The recommended trials with their titles."""
    return {each.member.trial: each.names for each in recommendations_of(front, use)}


def test_three_pipelines_are_recommended() -> None:
    """The greenest good one, the knee and the best one, if they differ."""
    assert names_of(run_of(*FRONT).front) == {0: (GOOD,), 1: (BALANCED,), 2: (BEST,)}


def test_one_pipeline_may_be_all_three() -> None:
    """It is described once."""
    front = run_of(trial(0, 0.9, 1.0), trial(1, 0.5, 2.0)).front
    assert names_of(front) == {0: (GOOD, BALANCED, BEST)}
    first = recommendation_lines(front, USE)[0]
    assert first.startswith("The greenest good one, the balanced one and the best one: trial 0 (ridge), r2 0.900")


def test_a_year_of_predictions_may_decide() -> None:
    """A pipeline that is cheap to train and expensive to use is not the greenest where it predicts much."""
    cheap, dear = (stage("inference", grams) for grams in (0.001, 10.0))
    front = run_of(trial(0, 0.9, 1.0, inference=dear), trial(1, 0.95, 2.0, inference=cheap)).front
    often, never = YearlyUse(retrainings=1, predictions=1e6), YearlyUse(retrainings=1, predictions=0)
    assert names_of(front, often)[1] == (GOOD, BALANCED, BEST)
    assert GOOD in names_of(front, never)[0]
    assert often.grams(front.by_trial[0]) == pytest.approx(10_001.0)


def test_what_is_no_better_than_a_constant_is_not_recommended() -> None:
    """Not even the untuned baseline: it is said, and rules refuse; a number picks all the same."""
    dummy = DummyScore(prediction="'bad'", validation=0.7)
    record = run_of(confirmed(0, 0.69, 1.0), confirmed(1, 0.75, 2.0, error=0.06), baseline=0, dummy=dummy)
    front = record.front
    assert (names_of(front), front.knee, front.best, front.payback) == ({}, None, None, ())
    (line,) = recommendation_lines(front, USE)
    assert "no pipeline is better than always predicting 'bad' (r2 0.700)" in line
    for rule in ("knee", "best", "within"):
        with pytest.raises(StudyError, match="nothing is recommended"):
            front.pick(rule)
    assert (front.pick("1").trial, front.pick("greenest").trial) == (1, 0)
    assert front.picks == {0: "greenest"}


def test_if_only_the_untuned_one_is_recommended_it_is_said_why() -> None:
    """A better score within the noise is not enough; a baseline that is alone on the front needs no excuse."""
    untuned = confirmed(0, 0.8, 2.0, without=(0.75, 0.85), dof=1)
    front = run_of(untuned, confirmed(1, 0.82, 3.0, without=(0.9, 0.74), dof=1), baseline=0).front
    assert names_of(front) == {0: (GOOD, BALANCED, BEST)}
    assert "it would take more groups or rows to tell" in recommendation_lines(front, USE)[1]
    alone = run_of(untuned, baseline=0).front
    assert "more groups" not in " ".join(recommendation_lines(alone, USE))


def test_members_are_compared_with_no_search_and_with_a_constant() -> None:
    """Each in a line of its own, with its test score; the baseline is not described twice."""
    tested = {0: trial(0, 0.55, 1.0), 1: trial(1, -0.2, 2.0)}
    better = confirmed(1, 0.9, 2.0, error=0.01, without=(0.89, 0.91), dof=12)
    front = run_of(
        confirmed(0, 0.6, 1.0, without=(0.6, 0.6), dof=12), better, baseline=0, dummy=MEAN, finals=tested
    ).front
    said = recommendation_lines(front, USE)
    assert "0.900 (95 %: 0.877 to 0.923), on test rows -0.200, 0.300 better than without a search" in said[1]
    assert "untuned" in said[0]
    assert not any(line.startswith("Without a search") for line in said)
    assert "Always predicting the mean: r2 0.000, on test rows -0.100" in said
    assert "Careful: on the test rows, trial 1 (ridge) is no better than always predicting the mean." in said
    assert said[-1].startswith("A year has 10 retrainings and 5,000 predictions")
