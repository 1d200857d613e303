"""Crossover and mutation in a conditional search space, where each model has hyperparameters of its own.

Hyperparameters are crossed and mutated in the order of their conditions, so that a child has exactly the active ones.
The model has a mutation probability of its own. A child with a new model, the better one of two, is the best trial of
that model with the features of a good trial: a small population soon contains one model only, and another one would be
judged by random hyperparameters, or without the features that were found meanwhile.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial

from cemai_opt.core.front import dominates
from cemai_opt.core.hyperparameters import Hyperparameter, Value
from cemai_opt.core.space import MODEL, SearchSpace
from cemai_opt.search.samplers._known_trials import KnownTrials
from cemai_opt.search.samplers._sampler import SamplerContext
from cemai_opt.search.suggest import distribution

MUTATIONS_A_CHILD = 2.0
"""Mean number of hyperparameters that mutate in a child; for this and the next figure: docs/decisions/sampler.md."""
MODEL_MUTATION = 0.1
"""Probability that a child changes its model."""
BEST_FEATURES = 0.5
"""Probability that it then takes the features of the parent with the best score, not those of any of them."""
FEATURES = "featurize."
"""Hyperparameters that begin so are those of the features."""
MAX_TRIES = 40
"""Attempts at a child that is new and affordable; each further attempt mutates more hyperparameters."""

Parent = Mapping[str, Any]


class Breeder:
    """Creates children in one search space; the same seed, trial number and parents give the same child."""

    def __init__(self, space: SearchSpace, context: SamplerContext) -> None:
        self._space, self._context = space, context
        self.distributions: dict[str, BaseDistribution] = {
            name: distribution(h) for name, h in space.hyperparameters.items() if h.searched
        }

    def child(self, number: int, known: KnownTrials, *, parents: Sequence[FrozenTrial]) -> dict[str, Value]:
        """Searched hyperparameters of a child that was not run before; random ones if there are no parents.

        `number` is that of the trial to be; `parents` are some of the `known` trials.
        """
        rng = np.random.default_rng((*self._context.trial_seed, number))
        pool = _Parents(parents, known, rng=rng)
        child: dict[str, Value] = {}
        for attempt in range(MAX_TRIES):
            child = self._bred(pool, rng, attempt=attempt)
            if self._context.is_affordable(child) and self._space.active(child).digest not in self._context.seen:
                break
        return {name: value for name, value in child.items() if self._space.hyperparameters[name].searched}

    def _bred(self, parents: _Parents, rng: np.random.Generator, *, attempt: int) -> dict[str, Value]:
        first, second = parents.pair()
        n_mutations = MUTATIONS_A_CHILD

        def bred(name: str, hyperparameter: Hyperparameter, *, probability: float) -> Value:
            if not hyperparameter.searched:
                return hyperparameter.default
            inherited = _inherited(name, first, second=second, rng=rng)
            return _random_value(hyperparameter, rng) if inherited is None or rng.random() < probability else inherited

        model = self._model(parents, first, second=second, rng=rng)
        donor = parents.best_of(model) if model not in (first.get(MODEL), second.get(MODEL)) else None
        if donor is not None:
            first = second = _with_features_of(parents.best() if rng.random() < BEST_FEATURES else second, donor)
            n_mutations = 0.0
        mutation_probability = min(1.0, (n_mutations + 0.25 * attempt) / max(len(first), 1))
        child: dict[str, Value] = {MODEL: model}
        for name, hyperparameter in self._space.of_model[str(model)].items():
            if name != MODEL and hyperparameter.follows(child):
                child[name] = bred(name, hyperparameter, probability=mutation_probability)
        return child

    def _model(self, parents: _Parents, first: Parent, *, second: Parent, rng: np.random.Generator) -> Value:
        """That of a parent, or now and then the better one of two others."""
        chosen = self._space.hyperparameters[MODEL]
        if not chosen.searched:
            return chosen.default
        inherited = _inherited(MODEL, first, second=second, rng=rng)
        if inherited is not None and rng.random() >= MODEL_MUTATION:
            return inherited
        return max((_random_value(chosen, rng) for _ in range(2)), key=parents.best_score_of)


class _Parents:
    """The parent population, from which pairs are drawn by binary tournament."""

    def __init__(self, trials: Sequence[FrozenTrial], known: KnownTrials, *, rng: np.random.Generator) -> None:
        self._trials, self._known, self._rng = trials, known, rng

    def pair(self) -> tuple[Parent, Parent]:
        """Two parents; empty ones if there is no population yet."""
        return (self._one(), self._one()) if self._trials else ({}, {})

    def best(self) -> Parent:
        """The one with the best score; an empty one if there is no population yet."""
        best = max(self._trials, key=lambda trial: self._known.point_of(trial).score, default=None)
        return best.params if best is not None else {}

    def best_of(self, model: Value) -> Parent | None:
        """The trial of this model with the best score, whether or not it is among the parents."""
        front = self._known.front_of(model)
        return front[-1].params if front else None

    def best_score_of(self, model: Value) -> float:
        """The best score of a model, which is not known to be bad as long as it has not been tried."""
        front = self._known.front_of(model)
        return self._known.point_of(front[-1]).score if front else math.inf

    def _one(self) -> Parent:
        a, b = (self._trials[int(i)] for i in self._rng.integers(len(self._trials), size=2))
        return (b if dominates(self._known.point_of(b), self._known.point_of(a)) else a).params


def _with_features_of(parent: Parent, donor: Parent) -> Parent:
    """A good trial of a model, with the features of another good trial."""
    return {
        **{name: value for name, value in donor.items() if not name.startswith(FEATURES)},
        **{name: value for name, value in parent.items() if name.startswith(FEATURES)},
    }


def is_warm_start(trial: FrozenTrial) -> bool:
    """Whether the trial was enqueued with fixed parameters."""
    return "fixed_params" in trial.system_attrs


def _inherited(name: str, first: Parent, *, second: Parent, rng: np.random.Generator) -> Value | None:
    """The value of a random parent; if only one parent has the hyperparameter, the value of that parent."""
    order = (second, first) if rng.random() < 0.5 else (first, second)
    for parent in order:
        if name in parent:
            value: Value = parent[name]
            return value
    return None


def _random_value(hyperparameter: Hyperparameter, rng: np.random.Generator) -> Value:
    """Uniform over choices, over the range, or over the logarithm of a range of several decades."""
    if hyperparameter.choices:
        return hyperparameter.choices[int(rng.integers(len(hyperparameter.choices)))]
    low, high = (math.log(end) if hyperparameter.log else end for end in (hyperparameter.low, hyperparameter.high))
    drawn = low + float(rng.random()) * (high - low)
    value = min(max(math.exp(drawn) if hyperparameter.log else drawn, hyperparameter.low), hyperparameter.high)
    return round(value) if hyperparameter.is_integer else value
