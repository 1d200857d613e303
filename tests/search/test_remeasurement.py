"""Front candidates are confirmed, and members tested, after the search."""

from __future__ import annotations

import statistics
from collections import Counter
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from cemai_opt.core.front import ParetoFront
from cemai_opt.core.ledger_entry import joules_by
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import TrialResult
from cemai_opt.engines import Engine
from cemai_opt.search import CONFIRM, FINAL, Budget, MemberLog, Remeasurement, Search
from cemai_opt.search.race import Contender, Race
from cemai_opt.testing.searches import FormulaEngine, cost_of, run_search, study_of
from tests.search.test_averaging import Predicting

CONFIRMED = {"confirm": 3}


class Varying(Engine):
    """Each run of a pipeline costs a joule more than the one before; `noisy` runs see too much foreign load."""

    def __init__(self, noisy: int = 0) -> None:
        self.formula, self.noisy = FormulaEngine(), noisy

    @property
    def plans(self) -> list[TrialPlan]:
        """Every plan that was run."""
        return self.formula.plans

    def _run(self, plan: TrialPlan) -> Future[TrialResult]:
        result = self.formula.run(plan).result()
        spent = cost_of(float(len(self.plans)))
        load = 0.9 if len(self.plans) <= self.noisy else 0.0
        done: Future[TrialResult] = Future()
        done.set_result(replace(result, cost=spent, spent=spent, foreign_load=load))
        return done


class Dearer(Engine):
    """Each run costs `factor` times what it did in the search."""

    def __init__(self, factor: float) -> None:
        self.predicting, self.factor = Predicting(), factor

    def _run(self, plan: TrialPlan) -> Future[TrialResult]:
        result = self.predicting.run(plan).result()
        spent = cost_of(self.factor * result.cost.energy_j)
        done: Future[TrialResult] = Future()
        done.set_result(replace(result, cost=spent, spent=spent))
        return done


def with_engine(search: Search, engine: Engine, members: MemberLog | None = None) -> Remeasurement:
    """What follows a finished search, on another engine."""
    return Remeasurement(replace(search.context, engine=engine), members or MemberLog())


def contenders_of(search: Search) -> list[Contender]:
    """The members of its front."""
    return [Contender(trial=point.trial) for point in search.front]


def test_members_cost_the_mean_of_their_repeated_measurements(tmp_path: Path) -> None:
    """Each is run on every fold, `confirm` times at least. What the search measured was lucky: it is left out.

    Three runs of 1, 2 and 3 J: 2 J with a standard error of 1 J / sqrt(3).
    """
    search, engine = run_search(tmp_path, trials=12, rules=CONFIRMED), Varying()
    results = with_engine(search, engine).confirmed(search.results, contenders_of(search))
    members = [point.trial for point in search.front]
    assert Counter(plan.trial for plan in engine.plans) == dict.fromkeys(members, 3)
    first = next(result for result in results if result.trial == members[0])
    assert first.repeats_j == (1.0, 2.0, 3.0)
    assert first.cost.energy_j == pytest.approx(statistics.mean(first.repeats_j))
    assert first.cost.uncertainty_j == pytest.approx(1.0 / 3**0.5)
    others = [(a, b) for a, b in zip(results, search.results, strict=True) if a.trial not in members]
    assert others
    assert all(after is before for after, before in others)


def test_the_untuned_are_confirmed_on_all_folds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However hopeless: all others are compared with the best of them, on the same folds."""
    monkeypatch.setattr(Race, "is_hopeless", lambda *_, **__: True)
    search = run_search(tmp_path, trials=12, engine=Predicting(), rules=CONFIRMED)
    untuned, other = search.results[0].trial, search.results[1].trial
    candidates = [Contender(trial=untuned, gap=0.5, is_untuned=True), Contender(trial=other)]
    context = replace(search.context, confirm_folds=3)
    results = Remeasurement(context, MemberLog()).confirmed(search.results, candidates)
    confirmations = {result.trial: result.confirmation for result in results}
    kept, dropped = confirmations[untuned], confirmations[other]
    assert kept is not None
    assert dropped is not None
    assert (kept.folds, dropped.folds) == (3, 1)


def test_its_joules_have_an_entry_of_their_own(tmp_path: Path) -> None:
    """They are spent, but not by the search."""
    search, engine = run_search(tmp_path, trials=12, rules=CONFIRMED), Varying()
    with_engine(search, engine).confirmed(search.results, contenders_of(search))
    n = len(engine.plans)
    assert joules_by("entry", search.context.ledger.spent())[CONFIRM] == pytest.approx(n * (n + 1) / 2)


def test_nothing_is_measured_or_tested_twice(tmp_path: Path) -> None:
    """Not in the same session, and not after a resume from what the first session has written."""
    search, engine = run_search(tmp_path, trials=12, rules=CONFIRMED), Varying()
    written: list[MemberLog] = []
    first = with_engine(search, engine, MemberLog(on_change=written.append))
    results = first.confirmed(search.results, contenders_of(search))
    trials = [point.trial for point in search.front]
    finals = first.tested(results, trials)
    n_runs = len(engine.plans)
    assert n_runs == 4 * len(trials) == 4 * len(set(trials))
    assert len(written) == 2 * len(trials)
    assert first.confirmed(results, contenders_of(search)) == results
    kept = MemberLog(list(written[-1].measured.values()), list(written[-1].tested.values()))
    resumed = with_engine(search, engine, kept)
    assert resumed.confirmed(search.results, contenders_of(search)) == results
    assert resumed.tested(results, trials) == finals
    assert len(engine.plans) == n_runs


def test_tests_are_one_final_run_of_each_member(tmp_path: Path) -> None:
    """On all training rows; explained unless the study says never."""
    for explain in ("front", "never"):
        search, engine = run_search(tmp_path / explain, trials=12, rules={"explain": explain}), FormulaEngine()
        trials = [point.trial for point in search.front]
        assert list(with_engine(search, engine).tested(search.results, trials)) == trials
        assert [(plan.trial, plan.phase, plan.folds) for plan in engine.plans] == [(t, "final", 1) for t in trials]
        assert {"explain" in plan.stages for plan in engine.plans} == {explain == "front"}
        assert FINAL in joules_by("entry", search.context.ledger.spent())


def test_a_noisy_measurement_is_repeated_once(tmp_path: Path) -> None:
    """If the second one is noisy too, it is kept and flagged."""
    search = run_search(tmp_path, trials=12, rules={"confirm": 1})
    front = ParetoFront(search.front.members[:1])
    for noisy, n_runs, is_flagged in ((0, 1, False), (1, 2, False), (2, 2, True)):
        engine = Varying(noisy)
        results = with_engine(search, engine).confirmed(
            search.results, [Contender(trial=point.trial) for point in front]
        )
        (member,) = (result for result in results if result.repeats_j)
        assert len(engine.plans) == n_runs
        assert member.is_noisy == is_flagged


def test_under_a_load_that_lasts_only_the_first_candidate_is_measured_again(tmp_path: Path) -> None:
    """It would tell nothing, and the budget does not count on it; all are flagged."""
    search, engine = run_search(tmp_path, trials=12, rules={"confirm": 1}), Varying(noisy=99)
    asked = contenders_of(search)
    results = with_engine(search, engine).confirmed(search.results, asked)
    assert len(engine.plans) == len(asked) + 1 > 3
    assert all(result.is_noisy for result in results if result.repeats_j)


def test_without_budget_the_members_keep_the_cost_of_the_search(tmp_path: Path) -> None:
    """Nothing runs, and it is said once."""
    search, engine = run_search(tmp_path, trials=500, rules={**CONFIRMED, "budget_g": 1e-3}), FormulaEngine()
    search.context.ledger.others_j = 1e9
    remeasurement = with_engine(search, engine)
    assert remeasurement.confirmed(search.results, contenders_of(search)) == search.results
    assert remeasurement.tested(search.results, [search.front.best.trial]) == {}
    assert engine.plans == []


def test_predictions_from_a_part_of_the_rows_are_corrected_by_what_candidates_cost(tmp_path: Path) -> None:
    """Once candidates have cost more than was predicted, the rest is expected to do so as well, and it is said."""
    search, engine = run_search(tmp_path, trials=12, rules=CONFIRMED), Varying()
    explored = [replace(result, factor=20.0, cost=cost_of(0.5)) for result in search.results]
    said: list[str] = []
    remeasurement = with_engine(search, engine)
    search.context.events.on_phase = said.append  # type: ignore[method-assign]  # of this search
    results = remeasurement.confirmed(explored, contenders_of(search)[:1])
    (member,) = [result for result in results if not result.is_predicted]
    assert member.cost.energy_j == 2.0
    assert said[-1] == (
        "on all rows, 1 candidates cost 4.00 times what had been predicted from a part of them (from 4.00 to 4.00)"
    )


def test_on_a_busy_machine_all_have_fewer_folds_and_are_tested(tmp_path: Path) -> None:
    """Runs cost twice what they did in the search. Nothing is left out, and what the tests need is not used up."""
    search = run_search(tmp_path, trials=30, engine=Predicting(), rules=CONFIRMED)
    asked = contenders_of(search)
    budget = budget_for(search, asked, n_folds=10.0)
    context = replace(search.context, engine=Dearer(2.0), budget=budget, confirm_folds=6)
    remeasurement = Remeasurement(context, MemberLog())
    results = {result.trial: result for result in remeasurement.confirmed(search.results, asked)}
    found = [results[contender.trial].confirmation for contender in asked]
    n_folds = {(confirmation.folds, confirmation.n_folds) for confirmation in found if confirmation}
    assert n_folds == {(4, 4)}
    assert len(found) == len([confirmation for confirmation in found if confirmation]) > 2
    trials = [contender.trial for contender in asked]
    assert list(remeasurement.tested(list(results.values()), trials)) == trials
    assert budget.left_j() >= 0.0


def test_a_contender_beside_the_front_that_costs_more_than_the_front_does_not_run_on_all_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where trials ran on a part of them."""
    monkeypatch.setattr(Race, "may_win", lambda race, contender: True)
    search = run_search(tmp_path, trials=12, rules=CONFIRMED)
    first = search.front.members[0].trial
    other = next(r.trial for r in search.results if r.is_complete and r.trial != first)
    for factor, expected in ((1.0, {first, other}), (20.0, {first})):
        engine = Varying()
        results = [replace(r, factor=factor, cost=cost_of(9.0 if r.trial == other else 1.0)) for r in search.results]
        with_engine(search, engine).confirmed(results, [Contender(trial=first), Contender(trial=other, gap=0.01)])
        assert {plan.trial for plan in engine.plans} == expected


def budget_for(search: Search, asked: list[Contender], *, n_folds: float) -> Budget:
    """A budget for so many runs of all contenders, and for testing them."""
    by_trial = {result.trial: result for result in search.results}
    left = [by_trial[contender.trial] for contender in asked]
    tests_j, _ = search.context.budget.for_tests(left, are_explained=False)
    needed_j = tests_j + n_folds * sum(result.cost.energy_j for result in left)
    ledger = search.context.ledger
    budget_g = search.context.study.carbon.grams(ledger.total_j() + needed_j)
    return Budget(study_of(budget_g=budget_g), ledger, start_s=0.0, clock=lambda: 0.0)


def test_what_is_left_of_a_budget_goes_to_further_folds_of_those_in_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two folds are affordable for all; then the confirmed front and the untuned run on more, as many each.

    What is dropped has no score that can be compared with theirs, and the budget still holds.
    """
    monkeypatch.setattr(Race, "is_hopeless", lambda *_, **__: False)
    search = run_search(tmp_path, trials=30, engine=Predicting(), rules=CONFIRMED)
    by_trial = {result.trial: result for result in search.results if result.is_complete}
    front = [point.trial for point in search.front]
    worst, untuned = sorted(set(by_trial) - set(front), key=lambda trial: by_trial[trial].score or 0.0)[:2]
    asked = [*(Contender(trial=trial) for trial in (*front, worst)), Contender(trial=untuned, is_untuned=True)]
    engine, budget = Predicting(), budget_for(search, asked, n_folds=3.6)
    context = replace(search.context, engine=engine, budget=budget, confirm_folds=6)
    results = {result.trial: result for result in Remeasurement(context, MemberLog()).confirmed(search.results, asked)}
    found = {contender.trial: results[contender.trial].confirmation for contender in asked}
    assert all(confirmation is not None for confirmation in found.values())
    folds = {trial: (confirmation.folds, confirmation.n_folds) for trial, confirmation in found.items() if confirmation}
    n_folds = folds[front[0]][1]
    assert n_folds > 2
    assert folds[untuned] == (n_folds, n_folds)
    assert folds[worst][0] == 2
    assert not results[worst].is_confirmed
    assert {folds[trial] for trial in front if results[trial].is_confirmed} == {(n_folds, n_folds)}
    runs = [(plan.trial, plan.only_fold) for plan in engine.plans]
    assert len(set(runs)) == len(runs)
    assert budget.left_j() >= 0.0


def test_without_anything_in_question_no_further_fold_counts(tmp_path: Path) -> None:
    """Where no confirmed score satisfies the constraints, all keep those that they have."""
    search = run_search(tmp_path, trials=12, engine=Predicting(), rules={**CONFIRMED, "min_score": 5.0})
    asked = [Contender(trial=result.trial) for result in search.results if result.is_complete][:3]
    context = replace(
        search.context, engine=Predicting(), budget=budget_for(search, asked, n_folds=3.6), confirm_folds=6
    )
    results = Remeasurement(context, MemberLog()).confirmed(search.results, asked)
    assert {result.trial for result in results if result.is_confirmed} == {contender.trial for contender in asked}
