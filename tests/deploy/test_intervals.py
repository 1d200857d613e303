"""How far a score may be off."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, r2_score

from cemai_opt.core.scores import ERRORS, skill
from cemai_opt.deploy.intervals import FEW_UNITS, RESAMPLES, Interval, score_interval
from cemai_opt.stages._regression_scores import regression_scores

METRICS = {
    "r2": r2_score,
    "f1": f1_score,
    "f1_macro": lambda y, value: f1_score(y, value, average="macro"),
    "balanced_accuracy": balanced_accuracy_score,
}


def predictions(score: str, n_groups: int = 20, rows: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets, predictions and groups; the error of a prediction is that of its group."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(n_groups), rows)
    if score == "r2":
        y = rng.normal(size=len(group)) + 100.0
        return y, y + 0.4 * rng.normal(size=n_groups)[group], group
    y = rng.integers(0, 2, len(group)).astype(float)
    is_wrong = rng.random(len(group)) < 0.4 * rng.random(n_groups)[group]
    return y, np.where(is_wrong, 1.0 - y, y), group


def interval_of(score: str, *, has_groups: bool = True, n_groups: int = 20, seed: int = 0) -> Interval:
    """The interval of a score on these predictions."""
    y, value, group = predictions(score, n_groups)
    interval = score_interval(y, value, score=score, group=group, has_groups=has_groups, seed=seed)
    assert interval is not None
    return interval


@pytest.mark.parametrize("score", METRICS)
def test_it_is_what_scoring_every_resample_gives(score: str) -> None:
    """Drawing whole groups and scoring their rows with scikit-learn, with the same draws."""
    y, value, group = predictions(score)
    rng, n = np.random.default_rng(0), int(group.max()) + 1
    scores = []
    for _ in range(RESAMPLES):
        rows = np.repeat(np.arange(len(y)), rng.multinomial(n, np.full(n, 1 / n))[group])
        scores.append(METRICS[score](y[rows], value[rows]))
    interval = interval_of(score)
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(scores, [0.025, 0.975])))
    assert interval.low < METRICS[score](y, value) < interval.high
    assert (interval.n_units, interval.unit, interval.caveat) == (n, "groups", "")


def test_groups_make_it_wider_than_rows() -> None:
    """Rows of a group err alike; an interval of resampled rows has a caveat."""
    groups, rows = interval_of("r2"), interval_of("r2", has_groups=False)
    assert groups.high - groups.low > 1.5 * (rows.high - rows.low)
    assert (rows.unit, rows.n_units) == ("rows", 600)
    assert "neighbouring rows are alike" in rows.caveat


def test_few_groups_have_a_caveat() -> None:
    """Below a limit."""
    assert interval_of("r2", n_groups=FEW_UNITS).caveat == ""
    assert f"only {FEW_UNITS - 1} groups" in interval_of("r2", n_groups=FEW_UNITS - 1).caveat


def test_there_is_none_without_a_second_group_or_for_other_scores() -> None:
    """Nothing to draw from; average precision needs more than the predicted classes."""
    y, value, group = predictions("f1")
    assert score_interval(y, value, score="average_precision", group=group, has_groups=True) is None
    assert score_interval(y, value, score="f1", group=np.zeros_like(group), has_groups=True) is None


@pytest.mark.parametrize("error", ERRORS)
def test_the_skill_of_an_error_has_an_interval(error: str) -> None:
    """Around the skill of all rows."""
    y, value, group = predictions("r2")
    interval = score_interval(y, value, score=error, group=group, has_groups=True)
    assert interval is not None
    assert interval.low < regression_scores(y, value, group=group)[skill(error)] < interval.high < 1.0
