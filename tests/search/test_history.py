"""The results of a search so far, and when they stop to improve."""

from __future__ import annotations

from cemai_opt.core.result import TrialResult
from cemai_opt.search.history import TrialHistory
from cemai_opt.testing.searches import cost_of, space_of, study_of


def result(trial: int, score: float, energy_j: float, **changes: object) -> TrialResult:
    """A complete trial; each has a configuration of its own."""
    config = space_of().active({"train.model": "ridge", "ridge.alpha": 0.001 * (1 + trial)})
    spent = cost_of(energy_j)
    fields = {"trial": trial, "state": "complete", "config": config, "cost": spent, "spent": spent, "score": score}
    return TrialResult(**{**fields, **changes})  # type: ignore[arg-type]  # fields of a result


def test_the_front_follows_the_results() -> None:
    """Members are the non-dominated complete trials that satisfy the constraints, greenest first."""
    history = TrialHistory(study_of(min_score=0.3))
    for trial, (score, energy_j) in enumerate([(0.5, 2.0), (0.4, 3.0), (0.9, 9.0), (0.2, 0.1)]):
        history.add(result(trial, score, energy_j))
    assert [member.trial for member in history.members] == [0, 2]
    assert [point.trial for point in history.points] == [0, 1, 2]
    assert history.n_run == 4
    assert history.spent_j == 14.1


def test_a_repeat_counts_as_a_result_but_not_as_a_run() -> None:
    """Its number is taken, the first trial with its configuration stays the known one."""
    history = TrialHistory(study_of())
    first = result(0, 0.5, 2.0)
    history.add(first)
    history.add(result(1, 0.5, 2.0, config=first.config, spent=type(first.spent)(), reason="repeat of trial 0"))
    assert history.by_digest[first.config.digest] is first
    assert history.numbers == {0, 1}
    assert (len(history.results), len(history.points), history.n_run, history.spent_j) == (2, 1, 1, 2.0)


def test_stagnation_counts_from_the_last_gain() -> None:
    """Small gains that add up are a gain."""
    history = TrialHistory(study_of(patience=3))

    def add(trial: int, score: float, energy_j: float) -> None:
        history.add(result(trial, score, energy_j))
        history.count_stagnation()

    add(0, 0.1, 1.0)
    add(1, 0.1, 100.0)
    for i in range(10):
        add(2 + i, 0.1 + 0.0035 * (i + 1), 10.0)
        assert not history.has_stagnated
    for i in range(4):
        add(20 + i, 0.1, 10.0)
    assert history.has_stagnated
