"""Trials that are too expensive for now, and the bounds of those that run."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from cemai_opt.core.front import ParetoFront, Point
from cemai_opt.core.pruning_bounds import PruningBounds
from cemai_opt.core.result import COMPLETE, PRUNED, TrialResult
from cemai_opt.core.space import MODEL, Params
from cemai_opt.search.pruning import CAP_FACTOR, CHEAP_J, MIN_CURVES, MIN_OF_FAMILY, Pruner
from cemai_opt.testing.searches import FormulaEngine, cost_of, run_search, search_in, space_of, study_of


def bounds_of(pruner: Pruner, model: str) -> PruningBounds:
    """Bounds of a trial of a model where nothing but its learning curves matters."""
    params = space_of().complete({MODEL: model})
    return pruner.bounds(1, params, front=ParetoFront(()), cap_j=1.0, left_j=math.inf, left_s=math.inf)


EIGHT = ("ridge", "decision_tree", "xgboost", "gradient_boosting", "random_forest", "dnn", "cnn", "lstm")


def test_what_is_too_expensive_for_now_is_not_run(tmp_path: Path) -> None:
    """It is kept as pruned, with its reason, and for nothing; and the search spends less than without the rules."""
    space = space_of(EIGHT)  # more families have a longer initial design, which always runs
    free, pruned = (
        search_in(tmp_path / str(stops), study_of(trials=60, stop_early=stops), sampler="random", space=space)
        for stops in (False, True)
    )
    free.run()
    pruned.run()
    skipped = [r for r in pruned.results if r.is_skipped]
    assert any("the cap for now" in r.reason for r in skipped)
    assert all(r.state == PRUNED and not r.spent.rows for r in skipped)
    assert all("the cap for now" in r.reason or "better pipelines are known for less" in r.reason for r in skipped)
    spent = [s.context.ledger.total_j() / sum(r.has_run for r in s.results) for s in (free, pruned)]
    assert spent[1] < 0.7 * spent[0]


def test_more_expensive_families_have_their_turn_when_more_is_spent() -> None:
    """Nothing is too expensive for ever."""
    pruner, front = Pruner(study_of(stop_early=True), space_of()), ParetoFront.of([Point(0, 0.5, 1e-3)])
    one_j = 1e-3 / study_of().carbon.grams(1.0)
    assert pruner.cap_j(front, 0.0, progress=0.0) == pytest.approx(CAP_FACTOR * one_j)
    assert pruner.cap_j(front, 1e9, progress=0.0) > 1e6
    assert pruner.cap_j(front, 1e9, progress=1.0) > 10 * pruner.cap_j(front, 1e9, progress=0.0)
    assert pruner.cap_j(ParetoFront(()), 0.0, progress=0.0) == math.inf


def test_a_family_is_not_given_up_after_one_bad_trial() -> None:
    """In the portfolio: its features may have been wrong. After four of them there are better ones for less."""
    space, study = space_of(), study_of(stop_early=True)
    pruner, front = Pruner(study, space), ParetoFront.of([Point(0, 0.8, study.carbon.grams(0.1))])
    params = space.complete({MODEL: "xgboost"})
    cost = cost_of(1.0)
    for number in range(1, MIN_OF_FAMILY + 1):
        pruner.update(
            TrialResult(
                trial=number, state=COMPLETE, config=space.active(params), cost=cost, spent=cost, score=0.5, curve=None
            )
        )
        reason = pruner.why_not(params, "xgboost", front=front, cap_j=math.inf, is_bold=True)
        assert (reason is not None) == (number == MIN_OF_FAMILY)
        assert pruner.why_not(params, "xgboost", front=front, cap_j=math.inf) is not None  # not of the portfolio
    assert "better pipelines are known for less" in str(reason)


def test_a_constraint_of_the_user_is_a_cap() -> None:
    """However much was spent."""
    study = study_of(stop_early=True, max_carbon_g=1e-6)
    assert Pruner(study, space_of()).cap_j(ParetoFront(()), 1e9, progress=0.5) == pytest.approx(
        1e-6 / study.carbon.grams(1.0)
    )


def test_learning_curves_are_compared_within_a_family(tmp_path: Path) -> None:
    """After a few of them the bounds say how much a loss still shrank, at best; before, nothing."""
    search = run_search(tmp_path, engine=FormulaEngine(has_curves=True), trials=60)
    pruner = Pruner(study_of(stop_early=True), space_of())
    curved = [r for r in search.results if r.curve is not None and r.curve.points and r.model == "xgboost"]
    for i, result in enumerate(curved[: MIN_CURVES + 1]):
        growth = bounds_of(pruner, "xgboost").loss_factors
        assert bool(growth) == (i >= MIN_CURVES)
        pruner.update(result)
    assert all(0.0 < ratio <= 1.0 for _, ratio in growth)
    assert bounds_of(pruner, "random_forest").loss_factors == ()


def test_what_is_untuned_or_costs_next_to_nothing_runs_to_the_end(tmp_path: Path) -> None:
    """All others are compared with the best untuned one; to end what costs less than asking for it saves nothing."""
    search, space = run_search(tmp_path, engine=FormulaEngine(), trials=20), space_of()
    pruner, thrifty = (Pruner(study_of(stop_early=True, budget_g=budget_g), space) for budget_g in (None, 1.0))
    for result in search.results:
        pruner.update(result)
        thrifty.update(result)
    front = ParetoFront.of([Point(0, 0.5, 1e-6)])

    def front_of(params: Params, *, is_untuned: bool, pruner: Pruner = pruner) -> object:
        limits = {"cap_j": 1e9, "left_j": math.inf, "left_s": math.inf}
        return pruner.bounds(1, params, front=front, is_untuned=is_untuned, **limits).front

    (cheap, _), (dear, _) = sorted(
        ((params, pruner.expected_j(params)) for params in (space.params_of(r.config) for r in search.results)),
        key=lambda each: each[1],
    )[:: len(search.results) - 1]
    assert pruner.expected_j(cheap) < CHEAP_J < pruner.expected_j(dear)
    assert front_of(cheap, is_untuned=False) == front_of(dear, is_untuned=True) == ()
    assert front_of(dear, is_untuned=False) != ()
    assert front_of(cheap, is_untuned=False, pruner=thrifty) != ()


def test_without_early_stopping_only_the_budget_is_a_bound() -> None:
    """`--no-stop-early`."""
    front = ParetoFront.of([Point(0, 0.5, 1e-6)])
    pruner = Pruner(study_of(stop_early=False), space_of())
    bounds = pruner.bounds(1, {MODEL: "ridge"}, front=front, cap_j=1.0, left_j=7.0, left_s=8.0)
    assert bounds == PruningBounds(spend_j=7.0, spend_s=8.0)
    assert pruner.why_not({"train.model": "ridge"}, "ridge", front=front, cap_j=0.0) is None
