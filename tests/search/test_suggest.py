"""The search space in Optuna's terms."""

from __future__ import annotations

import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from cemai_opt.core.hyperparameters import Hyperparameter
from cemai_opt.core.space import MODEL
from cemai_opt.search.suggest import distribution, suggest
from cemai_opt.testing.searches import space_of


@pytest.mark.parametrize(
    ("hyperparameter", "wanted"),
    [
        (Hyperparameter(name="a", default="x", choices=("x", "y")), CategoricalDistribution(("x", "y"))),
        (Hyperparameter(name="a", default=2, low=1, high=9, is_integer=True), IntDistribution(1, 9)),
        (
            Hyperparameter(name="a", default=2, low=1, high=9, is_integer=True, log=True),
            IntDistribution(1, 9, log=True),
        ),
        (Hyperparameter(name="a", default=0.5, low=0.1, high=0.9), FloatDistribution(0.1, 0.9)),
        (Hyperparameter(name="a", default=0.5, low=0.1, high=0.9, log=True), FloatDistribution(0.1, 0.9, log=True)),
    ],
)
def test_ranges_are_distributions(hyperparameter: Hyperparameter, wanted: BaseDistribution) -> None:
    """The same choices, ends, kind of number and scale."""
    assert distribution(hyperparameter) == wanted


def test_only_active_hyperparameters_are_suggested() -> None:
    """Those of other models are not; those that the search space fixes have their value, unknown to Optuna."""
    space = space_of()
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for model in space.models:
        study.enqueue_trial({MODEL: model})
        trial = study.ask()
        params = suggest(trial, space)
        assert params[MODEL] == model
        foreign = {name for name in params if name.split(".")[0] in set(space.models) - {model}}
        assert foreign == set()
        assert params == space.complete(params)
        assert set(trial.params) == {name for name in params if space.hyperparameters[name].searched}
        assert all(space.hyperparameters[name].holds(value) for name, value in params.items())
