"""The first trials of a search, and the baseline among them."""

from __future__ import annotations

from pathlib import Path

from cemai_opt.core.space import MODEL, SearchSpaceSpec
from cemai_opt.models import MODELS
from cemai_opt.runs.dummy import DummyScore
from cemai_opt.search import baseline_of, bounded_of
from cemai_opt.search.initial_design import FEATURE_ENGINEERING, initial_design, untuned_of
from cemai_opt.spaces import build_space
from cemai_opt.testing.searches import BASE_SCORES, FormulaEngine, run_search, space_of
from tests.results import confirmed, trial


def test_every_model_is_tried_without_and_with_features_cheapest_first() -> None:
    """Each configuration once."""
    space = space_of()
    design = initial_design(space)
    ranks = [MODELS.find(str(params[MODEL])).cost_rank for params in design]
    assert ranks == sorted(ranks)
    (feature, value), *_ = FEATURE_ENGINEERING.items()
    tried = [(params[MODEL], params[feature] == value) for params in design]
    assert sorted(tried) == sorted((model, has) for model in BASE_SCORES for has in (False, True))  # type: ignore[type-var]  # names
    assert len({space.active(params).digest for params in design}) == len(design)


def test_what_the_search_space_excludes_is_left_out() -> None:
    """Fixed features leave one variant of each model, and it has the fixed value."""
    spec = SearchSpaceSpec(models=("ridge",), hyperparameters={"featurize.rolling": "none"})
    design = initial_design(build_space(spec, "test", task="regression"))
    assert [(params[MODEL], params["featurize.rolling"]) for params in design] == [("ridge", "none")]


def test_a_search_begins_with_it(tmp_path: Path) -> None:
    """In its order."""
    engine = FormulaEngine()
    design = [space_of().active(params) for params in initial_design(space_of())]
    run_search(tmp_path, engine=engine, trials=len(design) + 3)
    assert [plan.config for plan in engine.plans[: len(design)]] == design


def test_the_baseline_is_one_of_it(tmp_path: Path) -> None:
    """Also if tuned pipelines are better; without any result there is none."""
    search = run_search(tmp_path, trials=12)
    digests = {space_of().active(params).digest for params in initial_design(space_of())}
    baseline = baseline_of(search.results, untuned_of(search.results, space=space_of()))
    assert baseline is not None
    assert search.history.by_trial[baseline].config.digest in digests
    assert baseline_of([], []) is None


def test_where_groups_are_few_it_is_one_that_does_not_extrapolate() -> None:
    """A tree's predictions stay among the targets; without any such trial that beats a constant, all others count."""
    results = [trial(0, 0.9, 1.0), trial(1, 0.8, 1.0, model="xgboost"), trial(2, 0.7, 1.0, model="decision_tree")]
    assert bounded_of(results, [0, 1, 2]) == [1, 2]
    assert bounded_of(results, [0]) == []
    dummies = [DummyScore(prediction="the mean", validation=score) for score in (0.0, 0.85)]
    assert [baseline_of(results, [0, 1, 2], bounded=[1, 2], dummy=dummy) for dummy in dummies] == [1, 0]
    assert baseline_of(results, [0], bounded=[]) == 0


def test_where_groups_are_few_a_greener_one_that_is_as_good_is_the_baseline() -> None:
    """A hundredth more on two groups is no reason to spend four times as much."""
    forest = confirmed(0, 0.785, 4.0, model="random_forest")
    for score, expected in ((0.771, 1), (0.75, 0)):
        results = [forest, confirmed(1, score, 1.0, model="xgboost")]
        assert baseline_of(results, [0, 1], bounded=[0, 1]) == expected
        assert baseline_of(results, [0, 1]) == 0


def test_the_baseline_is_the_best_untuned_trial_less_its_standard_error() -> None:
    """Confirmed scores count, and not those of the search, which are the best of several."""
    results = [trial(0, 0.9, 1.0), confirmed(1, 0.8, error=0.2), confirmed(2, 0.7, error=0.05), confirmed(3, 0.9)]
    assert baseline_of(results, [0, 1, 2]) == 2
    assert baseline_of(results[:1], [0, 1]) == 0
    assert baseline_of(results, []) is None


def test_a_portfolio_comes_first_and_models_that_it_lacks_after_it() -> None:
    """In its order; what a narrower space excludes has its default, a model that is not there is left out."""
    spec = SearchSpaceSpec(models=("ridge", "decision_tree"), hyperparameters={"featurize.rolling": ["none", "mean"]})
    space = build_space(spec, "test", task="regression")
    portfolio = [
        {MODEL: "decision_tree", "featurize.rolling": "mean"},
        {MODEL: "dnn"},
        {MODEL: "decision_tree", "featurize.rolling": "mean_std", "decision_tree.max_depth": 4},
    ]
    design = initial_design(space, portfolio)
    assert [(params[MODEL], params["featurize.rolling"]) for params in design] == [
        ("decision_tree", "mean"),
        ("decision_tree", "none"),
        ("ridge", "none"),
    ]
    assert design[1]["decision_tree.max_depth"] == 4


def test_the_logarithm_of_the_target_is_tried_where_it_is_searched() -> None:
    """With what the portfolio has without features; the same configurations are not tried twice elsewhere."""
    portfolio = [{MODEL: "ridge"}, {MODEL: "ridge", **FEATURE_ENGINEERING}, {MODEL: "xgboost"}]
    spec = SearchSpaceSpec(models=("ridge", "xgboost"))

    def tried(*, is_skewed: bool) -> list[tuple[object, object]]:
        space = build_space(spec, "test", task="regression", is_skewed=is_skewed)
        return [(params[MODEL], params["scale.target"]) for params in initial_design(space, portfolio)]

    plain = [("ridge", "none"), ("ridge", "none"), ("xgboost", "none")]
    assert tried(is_skewed=False) == plain
    assert tried(is_skewed=True) == [*plain, ("ridge", "log"), ("xgboost", "log")]
