"""A run keeps to its budget of grams and of seconds."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from cemai_opt.search import Budget
from cemai_opt.testing.searches import FormulaEngine, idle_ledger, run_search, search_in, study_of


def test_a_budget_of_grams_holds(tmp_path: Path) -> None:
    """It is not overshot by more than the trial that was running; the tests of the front are reserved for."""
    budget_g = 2e-3
    search = run_search(tmp_path, trials=500, rules={"budget_g": budget_g})
    study = study_of()
    spent_g = study.carbon.grams(search.context.ledger.total_j())
    largest_g = max(study.carbon.grams(r.spent.energy_j) for r in search.results)
    reserved_j, _ = Budget(study, search.context.ledger, start_s=0.0).reserved(search.history.members, n_folds=1)
    assert sum(r.has_run for r in search.results) < 500
    assert spent_g <= budget_g + largest_g
    assert spent_g + study.carbon.grams(reserved_j) >= budget_g - largest_g
    assert search.run() == f"the budget of {budget_g:g} g is used up"


def test_trials_know_what_is_left(tmp_path: Path) -> None:
    """So that they can end themselves."""
    engine = FormulaEngine()
    run_search(tmp_path, engine=engine, trials=30, rules={"budget_g": 2e-3})
    left = [plan.bounds.spend_j for plan in engine.plans if plan.bounds is not None]
    assert left == sorted(left, reverse=True)
    assert 0.0 < left[-1] < left[0] < 2e-3 / study_of().carbon.grams(1.0) + 1e-9


def test_time_is_a_budget_too(tmp_path: Path) -> None:
    """No trial starts after the timeout."""
    ticks = count()
    study = study_of(trials=100, timeout_s=20.0)
    search = search_in(tmp_path, study, sampler="random", clock=lambda: float(next(ticks)))
    assert search.run() == "the time limit of 20 s is reached"
    assert 2 <= len(search.results) < 30


def test_what_is_used_up_first_counts() -> None:
    """A quarter of the time, nothing of the grams; without any limit nothing is ever used up."""
    budget = Budget(study_of(timeout_s=20.0, budget_g=1.0), idle_ledger(), start_s=0.0, clock=lambda: 5.0)
    assert budget.share_used() == pytest.approx(0.25)
    assert budget.why_over(duration_s=14.0) is None
    assert budget.why_over(duration_s=15.0) == "the time limit of 20 s is reached"
    unlimited = Budget(study_of(), idle_ledger(), start_s=0.0, clock=lambda: 1e9)
    assert unlimited.share_used() == 0.0
    assert unlimited.why_over(1e9, 1e9) is None


def test_what_is_set_aside_is_not_spent_on_the_search() -> None:
    """The report comes after it."""
    study, ledger = study_of(budget_g=1.0), idle_ledger()
    whole, less = (Budget(study, ledger, start_s=0.0, set_aside_j=joules) for joules in (0.0, 5.0))
    assert less.left_j() == whole.left_j() - 5.0
