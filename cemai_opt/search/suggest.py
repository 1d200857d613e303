"""Translates the search space into Optuna's distributions and suggestions."""

from __future__ import annotations

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from cemai_opt.core.hyperparameters import Hyperparameter, Value
from cemai_opt.core.space import SearchSpace


def distribution(hyperparameter: Hyperparameter) -> BaseDistribution:
    """Optuna's distribution over a hyperparameter's range."""
    if hyperparameter.choices:
        return CategoricalDistribution(hyperparameter.choices)
    if hyperparameter.is_integer:
        return IntDistribution(int(hyperparameter.low), int(hyperparameter.high), log=hyperparameter.log)
    return FloatDistribution(hyperparameter.low, hyperparameter.high, log=hyperparameter.log)


def suggest(trial: optuna.Trial, space: SearchSpace) -> dict[str, Value]:
    """A configuration; each searched hyperparameter is suggested only if those before it make it active."""
    params, known = dict[str, Value](), trial.params
    for name, hyperparameter in space.hyperparameters.items():
        if not space.is_active(name, params):
            continue
        if not hyperparameter.searched:
            params[name] = hyperparameter.default
        else:
            params[name] = known[name] if name in known else _asked(trial, name, hyperparameter=hyperparameter)
    return params


def _asked(trial: optuna.Trial, name: str, *, hyperparameter: Hyperparameter) -> Value:
    if hyperparameter.choices:
        return hyperparameter.check(trial.suggest_categorical(name, hyperparameter.choices))  # type: ignore[arg-type]  # never None
    if hyperparameter.is_integer:
        return trial.suggest_int(name, int(hyperparameter.low), int(hyperparameter.high), log=hyperparameter.log)
    return trial.suggest_float(name, hyperparameter.low, hyperparameter.high, log=hyperparameter.log)
