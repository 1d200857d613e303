"""A child that changes its model takes what is known of that model, and the features of a good trial."""

from __future__ import annotations

from collections import Counter

import optuna
from optuna.trial import FrozenTrial, create_trial

from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.space import MODEL, Params
from cemai_opt.search.samplers import SamplerContext
from cemai_opt.search.samplers._breeding import Breeder
from cemai_opt.search.samplers._known_trials import KnownTrials
from cemai_opt.testing.searches import space_of

SPACE = space_of(("ridge", "decision_tree", "xgboost"))
BREEDER = Breeder(SPACE, SamplerContext(trials=100, seed=0))
FEATURES = {"featurize.rolling": "mean", "featurize.window_rows": 77}
N_CHILDREN = 600


def trial_of(score: float, grams: float, params: Params) -> FrozenTrial:
    """A complete trial, with defaults for what is not given."""
    full = {name: value for name, value in SPACE.complete(params).items() if name in BREEDER.distributions}
    distributions = {name: BREEDER.distributions[name] for name in full}
    return create_trial(values=[score, grams], params=full, distributions=distributions)


def children() -> list[dict[str, Value]]:
    """Children of a good ridge on features of its own, where other models are known without features."""
    study = optuna.create_study(directions=["maximize", "minimize"])
    study.add_trials(
        [
            trial_of(0.95, 1.0, {MODEL: "ridge", "ridge.alpha": 3.0, **FEATURES}),
            trial_of(0.9, 9.0, {MODEL: "xgboost", "xgboost.max_depth": 7}),
            trial_of(0.5, 4.0, {MODEL: "xgboost", "xgboost.max_depth": 2}),
            trial_of(0.3, 2.0, {MODEL: "decision_tree", "decision_tree.max_depth": 5}),
        ]
    )
    known = KnownTrials(SamplerContext(trials=100, seed=0).constraints, lambda front, box: list(front))
    known.update(study)
    return [BREEDER.child(number, known, parents=known.fittest(1)) for number in range(N_CHILDREN)]


def test_another_model_gets_its_best_hyperparameters_and_good_features() -> None:
    """Both at once and nothing else: one of them alone would be judged by the other's defaults."""
    changed = [child for child in children() if child[MODEL] != "ridge"]
    assert changed
    for child in changed:
        own = {"xgboost": ("xgboost.max_depth", 7), "decision_tree": ("decision_tree.max_depth", 5)}
        name, value = own[str(child[MODEL])]
        assert child[name] == value
        assert {key: child[key] for key in FEATURES} == FEATURES


def test_a_better_model_is_tried_more_often() -> None:
    """The better one of two is taken, so the worst one comes only where it is drawn twice."""
    by_model = Counter(str(child[MODEL]) for child in children())
    assert by_model["ridge"] > 0.8 * N_CHILDREN
    assert by_model["xgboost"] > 1.5 * by_model["decision_tree"] > 0
