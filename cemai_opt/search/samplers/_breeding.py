"""Crossover and mutation in a conditional search space, where each model has hyperparameters of its own.

Hyperparameters are crossed and mutated in the order of their conditions, so that a child has exactly the active ones.
The model has a mutation probability of its own; a child with a new model inherits the hyperparameters of a good trial
of that model. Without this, a small population soon contains one model only.
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
MODEL_MUTATION = 0.05
"""Probability that a child changes its model."""
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
        n_inherited = max(len(first), 1)
        mutation_probability = min(1.0, (MUTATIONS_A_CHILD + 0.25 * attempt) / n_inherited)

        def bred(name: str, hyperparameter: Hyperparameter, *, probability: float) -> Value:
            if not hyperparameter.searched:
                return hyperparameter.default
            inherited = _inherited(name, first, second=second, rng=rng)
            return _random_value(hyperparameter, rng) if inherited is None or rng.random() < probability else inherited

        chosen = self._space.hyperparameters[MODEL]
        model = bred(MODEL, chosen, probability=MODEL_MUTATION)
        if chosen.searched and model not in (first.get(MODEL), second.get(MODEL)):
            first = parents.of_model(model) or first
        child: dict[str, Value] = {MODEL: model}
        for name, hyperparameter in self._space.of_model[str(model)].items():
            if name != MODEL and hyperparameter.follows(child):
                child[name] = bred(name, hyperparameter, probability=mutation_probability)
        return child


class _Parents:
    """The parent population, from which pairs are drawn by binary tournament."""

    def __init__(self, trials: Sequence[FrozenTrial], known: KnownTrials, *, rng: np.random.Generator) -> None:
        self._trials, self._known, self._rng = trials, known, rng

    def pair(self) -> tuple[Parent, Parent]:
        """Two parents; empty ones if there is no population yet."""
        return (self._one(), self._one()) if self._trials else ({}, {})

    def of_model(self, model: Value) -> Parent | None:
        """A trial of this model that no other one dominates, whether or not it is among the parents."""
        front = self._known.front_of(model)
        return front[int(self._rng.integers(len(front)))].params if front else None

    def _one(self) -> Parent:
        a, b = (self._trials[int(i)] for i in self._rng.integers(len(self._trials), size=2))
        return (b if dominates(self._known.point_of(b), self._known.point_of(a)) else a).params


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
