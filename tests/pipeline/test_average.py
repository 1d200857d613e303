"""Averages of predictions: their weights, score and cost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cemai_opt.core.average import AVERAGE
from cemai_opt.core.result import ScoredRows, TrialResult
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.pipeline.average import MAX_ROWS, average_of, best_weights
from cemai_opt.testing.searches import study_of
from tests.results import J_PER_G, trial

N_ROWS = 40
Y = np.sin(np.arange(N_ROWS))
IS_RARE = (np.arange(N_ROWS) % 8 == 0).astype(float)


def predicting(value: np.ndarray, *, carbon_g: float = 1.0, y: np.ndarray = Y) -> TrialResult:
    """A result with these predictions for the rows."""
    rows = ScoredRows(y=y, group=np.arange(float(N_ROWS)), value=value)
    return trial(0, 0.5, carbon_g, uncertainty_g=0.1 * carbon_g, scored_rows=rows)


def classifying(positive: np.ndarray) -> TrialResult:
    """A result with these scores of the rare class."""
    rows = ScoredRows(
        y=IS_RARE,
        group=np.arange(float(N_ROWS)),
        value=(positive > 0.5).astype(float),
        by_class=np.column_stack([1.0 - positive, positive]),
    )
    return trial(0, 0.5, 1.0, scored_rows=rows)


def scored_by_f1() -> ResolvedStudy:
    """A classification with a rare class."""
    return study_of().model_copy(update={"task": "classification", "score": "f1"})


def r2_of(weights: list[float], values: list[np.ndarray]) -> float:
    mean = np.tensordot(weights, values, axes=1)
    return float(1.0 - ((Y - mean) ** 2).sum() / ((Y - Y.mean()) ** 2).sum())


@settings(max_examples=30, deadline=None)
@given(st.lists(arrays(float, N_ROWS, elements=st.floats(-1.0, 1.0)), min_size=1, max_size=4))
def test_it_is_at_least_as_good_as_the_best_of_its_candidates(noises: list[np.ndarray]) -> None:
    """Whatever they predict; and the weights add up to 1."""
    values = [Y + noise for noise in noises]
    weights = best_weights([predicting(value) for value in values], study=study_of())
    assert sum(weights) == pytest.approx(1.0)
    assert min(weights) >= 0.0
    alone = [r2_of(list(one), values) for one in np.eye(len(values))]
    assert r2_of(weights, values) >= max(alone) - 1e-6


def test_opposite_errors_cancel() -> None:
    """Two predictions that are wrong in opposite directions get equal weights; a useless third one gets none."""
    error = 0.5 * np.cos(np.arange(N_ROWS))
    values = [Y + error, Y - error, np.zeros(N_ROWS)]
    assert best_weights([predicting(value) for value in values], study=study_of()) == [0.5, 0.5, 0.0]


def test_a_part_that_is_not_worth_its_grams_is_left_out() -> None:
    """Two expensive parts that add less than the tolerance; without tolerance, only what adds nothing."""
    error = 0.5 * np.cos(np.arange(N_ROWS))
    values, grams = [Y + error, Y - error, Y - 0.95 * error, Y + 0.95 * error], [1.0, 1.0, 90.0, 100.0]
    results = [predicting(value, carbon_g=g) for value, g in zip(values, grams, strict=True)]
    assert best_weights(results, study=study_of(tolerance=0.01)) == [0.5, 0.5, 0.0, 0.0]
    useless = [
        predicting(value, carbon_g=g) for value, g in zip([Y + error, Y - error, Y], [1.0, 1.0, 9.0], strict=True)
    ]
    assert best_weights(useless, study=study_of(tolerance=0.0)) == [0.0, 0.0, 1.0]


def test_a_constraint_on_grams_is_kept_if_that_is_possible() -> None:
    """The expensive part goes, although the score decreases by more than the tolerance."""
    error = 0.5 * np.cos(np.arange(N_ROWS))
    results = [
        predicting(Y + error, carbon_g=1.0),
        predicting(Y - error + 0.3 * np.sin(3.0 * np.arange(N_ROWS)), carbon_g=1.0),
        predicting(Y - error, carbon_g=50.0),
    ]
    free, bound = study_of(tolerance=0.01), study_of(tolerance=0.01, max_carbon_g=10.0)
    assert best_weights(results, study=free)[2] > 0.0
    assert best_weights(results, study=bound)[2] == 0.0
    assert best_weights(results, study=bound)[1] < 1.0


def test_weights_are_chosen_on_a_part_of_many_rows() -> None:
    """And of groups of which only the last rows count, on those."""
    y = np.sin(np.arange(2.5 * MAX_ROWS))
    rows = [ScoredRows(y=y, group=np.arange(len(y)) // 100, value=y + error) for error in (0.5, -0.5)]
    results = [trial(0, 0.5, 1.0, scored_rows=own) for own in rows]
    for score in ("r2", "rmse_last"):
        assert best_weights(results, study=study_of().model_copy(update={"score": score})) == [0.5, 0.5]


def test_its_cost_is_the_sum_of_its_parts() -> None:
    """Grams and uncertainty, stage by stage, whatever the weights; and it has a name of its own."""
    parts = [predicting(Y + 0.1, carbon_g=2.0), predicting(Y - 0.3, carbon_g=3.0)]
    average = average_of(parts, [0.75, 0.25], study=study_of(), phase="search")
    assert average.cost.energy_j == pytest.approx(5.0 * J_PER_G)
    assert average.cost.uncertainty_j == pytest.approx(0.5 * J_PER_G)
    assert average.score == pytest.approx(1.0)
    assert (average.model, average.spent.energy_j) == (AVERAGE, 0.0)


def test_a_threshold_is_chosen_in_the_search_only() -> None:
    """On validation rows for F1; on test rows it is the given one."""
    positive = np.where(IS_RARE == 1.0, 0.2, 0.1)
    parts, study = [classifying(positive), classifying(positive)], scored_by_f1()
    validated = average_of(parts, [0.5, 0.5], study=study, phase="search")
    assert (validated.score, validated.threshold) == (1.0, pytest.approx(0.15))
    assert average_of(parts, [0.5, 0.5], study=study, phase="final", threshold=validated.threshold).score == 1.0
    assert average_of(parts, [0.5, 0.5], study=study, phase="final").score == 0.0
    assert sum(best_weights(parts, study=study)) == pytest.approx(1.0)


@pytest.mark.parametrize("score", ["rmse_last", "mae"])
def test_errors_are_averaged_by_their_skill(score: str) -> None:
    """A study that minimises an error compares averages by its skill."""
    study = study_of().model_copy(update={"score": score})
    parts = [predicting(Y + 0.1), predicting(Y - 0.1)]
    assert best_weights(parts, study=study) == [0.5, 0.5]
    assert average_of(parts, [0.5, 0.5], study=study, phase="search").score == pytest.approx(1.0)
