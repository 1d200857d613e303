"""A search that is itself green: harvest, caps, budgets, patience, bounds, and what it keeps of all that."""

from __future__ import annotations

import math
from pathlib import Path

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.core.errors import StudyError
from cemai_opt.core.front import Box, Front, Point
from cemai_opt.core.result import PRUNED, TrialResult
from cemai_opt.core.spending import joules_by
from cemai_opt.meters.cpu_time import CpuTime
from cemai_opt.search import Allowance, Ledger, open_study
from cemai_opt.search.cost_model import CostModel
from cemai_opt.search.loop import Stagnation
from cemai_opt.search.outlook import CAP_FACTOR, MIN_CURVES, Outlook
from cemai_opt.search.samplers import PARENT, SAMPLERS, sampler_named
from tests.search.rehearsal import PaperEngine, cost, rehearse, space_of, study_of

GREEN = {"stop_early": True}
points = st.lists(st.tuples(st.floats(-0.5, 1.0), st.floats(1e-9, 1e3)), min_size=1, max_size=30).map(
    lambda pairs: [Point(i, score, carbon_g) for i, (score, carbon_g) in enumerate(pairs)]
)


@given(points, st.floats(0.0, 1.0), st.floats(1.0, 10.0))
def test_a_dominated_trial_changes_nothing(all_points: list[Point], worse: float, dearer: float) -> None:
    """Not the front, its knee, its pick within a tolerance, nor its hypervolume."""
    front = Front.of(all_points)
    p = front.members[0]
    more = Front.of([*all_points, Point(10**7, p.score - worse, p.carbon_g * dearer)])
    box = Box.around(all_points)
    assert more == front
    assert (more.knee, more.within(0.01), more.hypervolume(box)) == (
        front.knee,
        front.within(0.01),
        front.hypervolume(box),
    )


@given(points, st.randoms())
def test_the_order_of_results_does_not_change_the_front(all_points: list[Point], random: object) -> None:
    """Whoever finishes first."""
    shuffled = list(all_points)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    pairs = [[(p.score, p.carbon_g) for p in Front.of(some)] for some in (all_points, shuffled)]
    assert pairs[0] == pairs[1]


@given(points)
def test_contributions_are_what_would_be_lost(all_points: list[Point]) -> None:
    """The share of each member is the hypervolume with it less that without it."""
    front, box = Front.of(all_points), Box.around(all_points)
    if box.dearest_log == box.greenest_log:
        return
    shares = front.contributions(box)
    for member in front:
        rest = Front(tuple(p for p in front if p is not member))
        lost = front.hypervolume(box) - rest.hypervolume(box)
        if member.score >= 0.0:
            assert shares[member.trial] == pytest.approx(lost, abs=1e-9)


def test_the_same_seed_gives_the_same_search(tmp_path: Path) -> None:
    """With rules and harvest, result by result."""
    runs = [rehearse(tmp_path / name, engine=PaperEngine(has_curves=True), rules=GREEN) for name in ("a", "b")]
    assert runs[0].results == runs[1].results


def test_points_of_curves_are_trials_of_their_own(tmp_path: Path) -> None:
    """Optuna knows them with their parents and values; they cost nothing more, and none of them is dominated."""
    search = rehearse(tmp_path, engine=PaperEngine(has_curves=True), trials=40)
    children = [r for r in search.results if r.parent is not None]
    assert children
    assert sum(r.has_run for r in search.results) == 40
    study = open_study(tmp_path, "paper", ("r2", "gCO2eq"), optuna.samplers.RandomSampler())
    trials = {trial.number: trial for trial in study.trials}
    by_trial = {r.trial: r for r in search.results}
    for child in children:
        assert child.spent.rows == ()
        told = trials[child.trial]
        assert told.values[0] == child.score
        assert told.user_attrs[PARENT]["parent"] == child.parent
        assert told.params[f"{child.model}.n_estimators"] == child.config.params("train")["n_estimators"]
        parent = by_trial[child.parent]  # type: ignore[index]  # not None
        before = [r for r in search.results[: search.results.index(child)] if r.is_complete and r is not child]
        assert not any(
            r.score >= child.score and r.cost.energy_j < child.cost.energy_j  # type: ignore[operator]  # complete
            for r in before
            if r.parent != child.parent
        )
        assert parent.cost.energy_j > child.cost.energy_j


def test_without_harvest_there_are_none(tmp_path: Path) -> None:
    """`--no-harvest`."""
    search = rehearse(tmp_path, engine=PaperEngine(has_curves=True), rules={"harvest": False})
    assert all(r.parent is None for r in search.results)


def test_a_killed_session_is_harvested_when_the_run_goes_on(tmp_path: Path) -> None:
    """Once: what Optuna was told already keeps its number."""
    first = rehearse(tmp_path, engine=PaperEngine(has_curves=True), trials=20)
    parents_only = [r for r in first.results if r.parent is None]
    again = rehearse(tmp_path, engine=PaperEngine(has_curves=True), trials=20, earlier=parents_only)
    numbers = [r.trial for r in again.results]
    assert len(numbers) == len(set(numbers))
    lost = {r.trial for r in first.results} - set(numbers)
    assert {p.trial for p in first._front} <= set(numbers), lost
    study = open_study(tmp_path, "paper", ("r2", "gCO2eq"), optuna.samplers.RandomSampler())
    marks = [str(t.user_attrs[PARENT]) for t in study.trials if PARENT in t.user_attrs]
    assert len(marks) == len(set(marks))


def test_what_is_too_dear_for_now_is_not_run(tmp_path: Path) -> None:
    """It is kept as pruned, with its reason, and for nothing; and the search spends less than without the rules."""
    free = rehearse(tmp_path / "free", sampler="random", trials=60)
    green = rehearse(tmp_path / "green", sampler="random", trials=60, rules=GREEN)
    skipped = [r for r in green.results if r.is_skipped]
    assert skipped
    assert all(r.state == PRUNED and not r.spent.rows and "too much for now" in r.reason for r in skipped)
    spent = [s._ledger.total_j() / sum(r.has_run for r in s.results) for s in (free, green)]
    assert spent[1] < 0.7 * spent[0]


def test_dearer_families_have_their_turn_when_more_is_spent() -> None:
    """Nothing is too dear for ever."""
    outlook, front = Outlook(study_of(stop_early=True), space_of()), Front.of([Point(0, 0.5, 1e-6)])
    one_j = 1e-6 / study_of().carbon.grams(1.0)
    assert outlook.cap_j(front, 0.0, 0.0) == pytest.approx(CAP_FACTOR * one_j)
    assert outlook.cap_j(front, 1e9, 0.0) > 1e6
    assert outlook.cap_j(front, 1e9, 1.0) > 10 * outlook.cap_j(front, 1e9, 0.0)
    assert outlook.cap_j(Front(()), 0.0, 0.0) == math.inf


def test_a_user_s_own_bound_is_a_cap() -> None:
    """However much was spent."""
    study = study_of(stop_early=True, max_carbon_g=1e-6)
    assert Outlook(study, space_of()).cap_j(Front(()), 1e9, 0.5) == pytest.approx(1e-6 / study.carbon.grams(1.0))


def test_curves_are_learnt_family_by_family(tmp_path: Path) -> None:
    """After a few of them the limits say how much a loss still shrank, at best; before, nothing."""
    search = rehearse(tmp_path, engine=PaperEngine(has_curves=True), trials=60)
    outlook, front = Outlook(study_of(stop_early=True), space_of()), Front(())
    curved = [r for r in search.results if r.curve is not None and r.curve.points and r.model == "xgboost"]
    for i, result in enumerate(curved[: MIN_CURVES + 1]):
        growth = outlook.limits(1, "xgboost", front, 1.0, math.inf, math.inf).growth
        assert bool(growth) == (i >= MIN_CURVES)
        outlook.learn(result)
    assert all(0.0 < ratio <= 1.0 for _, ratio in growth)
    assert outlook.limits(1, "random_forest", front, 1.0, math.inf, math.inf).growth == ()


def test_costs_are_foretold_from_windows_rounds_and_families() -> None:
    """Ten times the trees, about ten times the joules, also in a family of which one pipeline is known."""
    space = space_of()
    model = CostModel(space)
    assert model.low_j({"train.model": "ridge"}) == 0.0
    small, large = ({"train.model": "random_forest", "random_forest.n_estimators": n} for n in (10, 100))
    model.learn(small, 1.0)
    assert model.low_j(large) == pytest.approx(10.0)
    assert model.low_j({**small, "combine.fraction": 0.1}) == pytest.approx(0.1)
    assert model.low_j({"train.model": "xgboost", "xgboost.n_estimators": 10}) > 1.0


def test_a_budget_of_grams_holds(tmp_path: Path) -> None:
    """It is not overshot by more than the trial that was running, and the front's own tests are kept in mind."""
    budget_g = 2e-3
    search = rehearse(tmp_path, trials=500, rules={"budget_g": budget_g})
    study = study_of()
    spent_g = study.carbon.grams(search._ledger.total_j())
    dearest_g = max(study.carbon.grams(r.spent.energy_j) for r in search.results)
    held_j, _ = Allowance(study, search._ledger, 0.0).held_back(search._by_trial[p.trial] for p in search._front)
    assert sum(r.has_run for r in search.results) < 500
    assert spent_g <= budget_g + dearest_g
    assert spent_g + study.carbon.grams(held_j) >= budget_g - dearest_g
    assert search.run() == f"the budget of {budget_g:g} g is used up"


def test_trials_are_told_what_is_left(tmp_path: Path) -> None:
    """So that they can end themselves."""
    engine = PaperEngine()
    rehearse(tmp_path, engine=engine, trials=30, rules={"budget_g": 2e-3})
    left = [plan.limits.spend_j for plan in engine.plans if plan.limits is not None]
    assert left == sorted(left, reverse=True)
    assert 0.0 < left[-1] < left[0] < 2e-3 / study_of().carbon.grams(1.0) + 1e-9


def test_patience_ends_a_search_that_gains_nothing(tmp_path: Path) -> None:
    """And says so."""
    search = rehearse(tmp_path, trials=2000, rules={"patience": 25})
    assert search.run() == "25 trials in a row have gained no hypervolume"
    assert sum(r.has_run for r in search.results) < 1000


def test_stagnation_counts_from_the_last_gain() -> None:
    """Small gains that add up are a gain."""
    box, stagnation = Box(0.0, 2.0), Stagnation(3)
    for i in range(10):
        stagnation.see(Front.of([Point(0, 0.1 + 0.0015 * i, 10.0)]), box)
        assert not stagnation.is_over
    for _ in range(3):
        stagnation.see(Front.of([Point(0, 0.1135, 10.0)]), box)
    assert stagnation.is_over


@pytest.mark.parametrize("sampler", ["auto", "nsga2", "nsga2_stock", "tpe", "random", "optuna.samplers.NSGAIIISampler"])
def test_bounds_are_kept(sampler: str, tmp_path: Path) -> None:
    """No front member costs more or scores less than was asked."""
    search = rehearse(tmp_path, sampler, rules={"max_carbon_g": 1e-4, "min_score": 0.7})
    assert len(search._front)
    assert all(p.score >= 0.7 and p.carbon_g <= 1e-4 for p in search._front)
    assert len(search.points) < sum(r.is_complete for r in search.results)


@pytest.mark.parametrize(
    ("name", "said"), [("optuna.samplers.Nope", "Nope"), ("os.path.join", "BaseSampler"), ("no.such.Thing", "no")]
)
def test_a_dotted_name_that_is_no_sampler_is_named(name: str, said: str) -> None:
    """Before anything runs."""
    with pytest.raises(StudyError, match=said):
        sampler_named(name)


def test_a_gaussian_process_suggests(tmp_path: Path) -> None:
    """Optuna's own, slow, and only for short searches."""
    search = rehearse(tmp_path, "gp", trials=14)
    assert sum(r.has_run for r in search.results) == 14


def test_the_ledger_tells_states_families_and_stages() -> None:
    """Each view adds up to all that the trials have spent."""
    ledger = Ledger([CpuTime(clock=lambda: 0.0, watts=1.0)], start_j=0.0)
    config = space_of().active({"train.model": "ridge"})
    ledger.book(TrialResult(0, "complete", config, cost(1.0), cost(2.0), score=0.5))
    ledger.book(TrialResult(1, PRUNED, config, cost(1.0), cost(0.5), reason="dear"))
    spent = ledger.spent()
    assert joules_by("entry", spent) == {"complete": 2.0, PRUNED: 0.5, "driver": 0.0}
    assert joules_by("model", spent) == {"ridge": 2.5}
    assert joules_by("stage", spent) == {"train": 2.5}


@pytest.mark.parametrize("name", SAMPLERS.names)
def test_samplers_say_what_they_are(name: str) -> None:
    """In one sentence, for `parts`."""
    assert (SAMPLERS.find(name).__doc__ or "").strip()


def test_a_sampler_for_one_objective_is_refused_before_anything_runs() -> None:
    """With its own words."""
    with pytest.raises(StudyError, match="CmaEs"):
        sampler_named("optuna.samplers.CmaEsSampler")


def test_pipelines_that_miss_the_bounds_are_not_harvested(tmp_path: Path) -> None:
    """They would fill the study with what nobody wants."""
    rules = {"min_score": 0.999}
    search = rehearse(tmp_path, engine=PaperEngine(has_curves=True), rules=rules)
    assert all(r.parent is None for r in search.results)


def test_two_savings_are_one_sentence() -> None:
    """And a loss is named as one."""
    from cemai_opt.report.payback import _joined

    assert _joined(["saves 1 g per retraining", "saves 2 g per day"]) == "saves 1 g per retraining and 2 g per day"
    assert _joined(["costs 1 g more", "saves 2 g"]) == "costs 1 g more and saves 2 g"
