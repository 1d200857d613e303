"""Points of learning curves become trials of their own."""

from __future__ import annotations

from pathlib import Path

import optuna

from cemai_opt.search.samplers import PARENT
from cemai_opt.search.storage import open_study
from cemai_opt.testing.searches import METRICS, STUDY, FormulaEngine, run_search


def reopened(folder: Path) -> optuna.Study:
    """The study of a search in `folder`, as Optuna keeps it."""
    return open_study(folder, STUDY, metrics=METRICS, sampler=optuna.samplers.RandomSampler())


def test_points_of_curves_are_trials_of_their_own(tmp_path: Path) -> None:
    """Optuna knows them with their parents and values; they cost nothing more, and none of them is dominated."""
    search = run_search(tmp_path, engine=FormulaEngine(has_curves=True), trials=40)
    children = [r for r in search.results if r.parent is not None]
    assert children
    assert sum(r.has_run for r in search.results) == 40
    trials = {trial.number: trial for trial in reopened(tmp_path).trials}
    by_trial = {r.trial: r for r in search.results}
    for child in children:
        assert child.spent.rows == ()
        frozen = trials[child.trial]
        assert frozen.values[0] == child.score
        assert frozen.user_attrs[PARENT]["parent"] == child.parent
        assert frozen.params[f"{child.model}.n_estimators"] == child.config.params("train")["n_estimators"]
        parent = by_trial[child.parent]  # type: ignore[index]  # not None
        before = [r for r in search.results[: search.results.index(child)] if r.is_complete and r is not child]
        assert not any(
            r.score >= child.score and r.cost.energy_j < child.cost.energy_j  # type: ignore[operator]  # complete
            for r in before
            if r.parent != child.parent
        )
        assert parent.cost.energy_j > child.cost.energy_j


def test_a_user_may_do_without_them(tmp_path: Path) -> None:
    """`--no-harvest`."""
    search = run_search(tmp_path, engine=FormulaEngine(has_curves=True), rules={"harvest": False})
    assert all(r.parent is None for r in search.results)


def test_candidates_of_a_killed_session_are_added_when_the_run_goes_on(tmp_path: Path) -> None:
    """Once: those that Optuna knows already keep their numbers."""
    first = run_search(tmp_path, engine=FormulaEngine(has_curves=True), trials=20)
    parents_only = [r for r in first.results if r.parent is None]
    again = run_search(tmp_path, engine=FormulaEngine(has_curves=True), trials=20, earlier=parents_only)
    numbers = [r.trial for r in again.results]
    assert len(numbers) == len(set(numbers))
    lost = {r.trial for r in first.results} - set(numbers)
    assert {p.trial for p in first.front} <= set(numbers), lost
    marks = [str(t.user_attrs[PARENT]) for t in reopened(tmp_path).trials if PARENT in t.user_attrs]
    assert len(marks) == len(set(marks))


def test_candidates_that_miss_the_constraints_are_not_added(tmp_path: Path) -> None:
    """They would fill the study with what nobody wants."""
    rules = {"min_score": 0.999}
    search = run_search(tmp_path, engine=FormulaEngine(has_curves=True), rules=rules)
    assert all(r.parent is None for r in search.results)
