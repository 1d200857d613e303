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
from cemai_opt.pipeline.average import average_of, best_weights
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
