"""What the runs of a front candidate say together."""

from __future__ import annotations

import numpy as np
import pytest

from cemai_opt.core.result import ScoredRows, TrialResult
from cemai_opt.search.candidate_runs import CandidateRuns
from cemai_opt.testing.searches import study_of
from tests.results import J_PER_G, trial


def run_of(joules: float) -> TrialResult:
    """A run on a fold that has cost so much."""
    return trial(0, 0.5, joules / J_PER_G)


def part(fold: int, noise: float) -> ScoredRows:
    """Predictions of five groups of a fold."""
    rng = np.random.default_rng(fold)
    y = rng.normal(size=100)
    group = np.repeat(np.arange(5.0), 20) + 5 * fold
    return ScoredRows(y=y, group=group, value=y + noise * rng.normal(size=100))


def test_the_score_is_pooled_over_all_folds_and_the_cost_is_a_mean() -> None:
    """What the search found is kept beside them."""
    candidate = CandidateRuns(searched=trial(0, 0.99, 7.0), study=study_of())
    costs = (1.0, 3.0)
    for fold, joules in enumerate(costs):
        candidate.add_fold(run_of(joules), part(fold, 0.3))
    found = candidate.result(of=2)
    assert found.is_confirmed
    assert found.searched_score == 0.99
    joined = ScoredRows.joined([part(0, 0.3), part(1, 0.3)])
    residual = ((joined.y - joined.value) ** 2).sum() / ((joined.y - joined.y.mean()) ** 2).sum()
    assert found.score == pytest.approx(1.0 - residual)
    assert found.cost.energy_j == pytest.approx(2.0)
    assert found.repeats_j == pytest.approx(costs)


def test_on_more_folds_than_others_the_first_of_them_count() -> None:
    """As its score, and its folds; its joules are those of all runs."""
    one, two = (CandidateRuns(searched=trial(0, 0.99, 7.0), study=study_of()) for _ in range(2))
    one.add_fold(run_of(1.0), part(0, 0.3))
    for fold, joules in enumerate((1.0, 3.0)):
        two.add_fold(run_of(joules), part(fold, 0.3))
    first, both = one.result(of=1), two.result(of=1)
    assert (both.score, both.confirmation) == (first.score, first.confirmation)
    assert both.cost.energy_j == pytest.approx(2.0)


def test_on_fewer_folds_than_others_it_is_not_confirmed() -> None:
    """Its score stays that of the search, because theirs are of other rows."""
    candidate = CandidateRuns(searched=trial(0, 0.99, 7.0), study=study_of())
    candidate.add_fold(run_of(1.0), part(0, 0.3))
    found = candidate.result(of=2)
    assert not found.is_confirmed
    assert found.score == 0.99
    assert found.confirmation is not None
    assert (found.confirmation.folds, found.confirmation.n_folds) == (1, 2)


def test_equal_joules_need_no_further_run() -> None:
    """A single run does, and so do runs that differ."""
    for costs, is_uncertain in (((1.0,), True), ((1.0, 1.0), False), ((1.0, 1.5), True)):
        candidate = CandidateRuns(searched=run_of(1.0), study=study_of())
        for joules in costs:
            candidate.add_fold(run_of(joules), None)
        assert candidate.is_uncertain == is_uncertain
