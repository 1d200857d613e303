"""Errors, their skills, and the scores of remaining useful life."""

from __future__ import annotations

import numpy as np
import pytest

from cemai_opt.core.batch import last_rows
from cemai_opt.core.scores import REGRESSION_SCORES, maximised
from cemai_opt.stages._regression_scores import nasa_score, regression_score, regression_scores

GROUP = np.repeat([0, 1, 2], [3, 1, 2])
Y = np.array([5.0, 4.0, 3.0, 9.0, 2.0, 1.0])


def test_the_last_row_of_each_group_is_scored_apart() -> None:
    """Two cycles late, exact, one early."""
    value = Y + np.array([9.0, 9.0, 2.0, 0.0, 9.0, -1.0])
    scores = regression_scores(Y, value, group=GROUP)
    assert last_rows(GROUP).tolist() == [False, False, True, True, False, True]
    assert scores["rmse_last"] == pytest.approx(np.sqrt(5.0 / 3.0))
    assert scores["nasa_score"] == pytest.approx(np.expm1(0.2) + np.expm1(1.0 / 13.0))


def test_a_late_prediction_costs_more_than_an_early_one() -> None:
    """And an absurd one is not infinite."""
    y = np.zeros(1)
    assert nasa_score(y, y + 20.0) > nasa_score(y, y - 20.0) > nasa_score(y, y) == 0.0
    assert np.isfinite(nasa_score(y, y + 1e9))


def test_a_skill_is_0_for_the_mean_and_1_at_best() -> None:
    """Of every error; half the error is a skill of a half."""
    perfect, mean = (regression_scores(Y, value, group=GROUP) for value in (Y, np.full(6, Y.mean())))
    half = regression_scores(Y, (Y + Y.mean()) / 2.0, group=GROUP)
    for error in ("rmse", "mae", "mape", "rmse_last"):
        assert (perfect[error], perfect[f"{error}_skill"]) == (0.0, 1.0)
        assert mean[f"{error}_skill"] == pytest.approx(0.0)
        assert half[f"{error}_skill"] == pytest.approx(0.5)


@pytest.mark.parametrize("name", [maximised(score) for score in REGRESSION_SCORES])
def test_a_single_score_is_that_among_all(name: str) -> None:
    """To the last bit."""
    value = Y + np.array([1.0, -2.0, 0.5, 0.0, 3.0, -1.0])
    assert regression_score(Y, value, name=name, group=GROUP) == regression_scores(Y, value, group=GROUP)[name]


@pytest.mark.parametrize("group", [None, np.zeros(6, int)])
def test_rows_of_one_group_have_no_last_rows(group: np.ndarray | None) -> None:
    """Nothing is made of a single row."""
    assert not {"rmse_last", "nasa_score"} & regression_scores(Y, Y, group=group).keys()
