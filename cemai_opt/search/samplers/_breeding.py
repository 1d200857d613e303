"""Children of two pipelines in a space where each model has genes of its own.

Genes are crossed and mutated in the order of their conditions, so a child has exactly the genes that matter for it. A
child changes its model with a probability of its own, and then takes over the genes of a good trial of that model:
without it a small population soon holds one model only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState

from cemai_opt.core.front import Front, Point, Wanted, dominates
from cemai_opt.core.genes import Gene, Value
from cemai_opt.core.space import MODEL, SearchSpace
from cemai_opt.search.samplers._sampler import Budget
from cemai_opt.search.suggest import distribution

MUTATIONS_A_CHILD = 2.0
"""Genes that a child draws anew, on average; this and the next figure: docs/decisions/sampler.md."""
MODEL_MUTATION = 0.05
"""Probability that a child changes its model."""
MAX_TRIES = 40
"""Attempts at a child that was not run before, and is not too dear; each further one mutates more genes."""

Parent = Mapping[str, Any]


class Breeder:
    """Makes children in one space; the same seed, trial number and parents give the same child."""

    def __init__(self, space: SearchSpace, budget: Budget) -> None:
        self._space, self._budget = space, budget
        self.distributions: dict[str, BaseDistribution] = {
            name: distribution(gene) for name, gene in space.genes.items() if gene.searched
        }

    def child(self, study: Study, trial: FrozenTrial, parents: Sequence[FrozenTrial]) -> dict[str, Value]:
        """The open genes of a child that was not run before; of a random configuration where there are no parents."""
        rng = np.random.default_rng((self._budget.seed, trial.number))
        pool = _Parents(parents, study, rng)
        child: dict[str, Value] = {}
        for attempt in range(MAX_TRIES):
            child = self._bred(pool, rng, attempt)
            if self._space.active(child).digest not in self._budget.seen and self._budget.would_run(child):
                break
        return {name: value for name, value in child.items() if self._space.genes[name].searched}

    def _bred(self, parents: _Parents, rng: np.random.Generator, attempt: int) -> dict[str, Value]:
        first, second = parents.pair()
        n_genes = max(len(first), 1)
        mutation_probability = min(1.0, (MUTATIONS_A_CHILD + 0.25 * attempt) / n_genes)
        child: dict[str, Value] = {}
        for name, gene in self._space.genes.items():
            if not self._space.is_active(name, child):
                continue
            if not gene.searched:
                child[name] = gene.default
                continue
            inherited = _inherited(name, first, second, rng)
            if inherited is None or rng.random() < (MODEL_MUTATION if name == MODEL else mutation_probability):
                child[name] = _random_value(gene, rng)
            else:
                child[name] = inherited
            if name == MODEL and child[name] not in (first.get(MODEL), second.get(MODEL)):
                first = parents.of_model(child[name]) or first
        return child


class _Parents:
    """The parent population, from which pairs are drawn by binary tournament."""

    def __init__(self, trials: Sequence[FrozenTrial], study: Study, rng: np.random.Generator) -> None:
        self._trials, self._study, self._rng = trials, study, rng

    def pair(self) -> tuple[Parent, Parent]:
        """Two parents; empty ones where there is no population yet."""
        return (self._one(), self._one()) if self._trials else ({}, {})

    def of_model(self, model: Value) -> Parent | None:
        """A trial of this model that no other one dominates, whether or not it is among the parents."""
        trials = self._study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        own = {t.number: t for t in trials if t.params.get(MODEL) == model}
        front = Front.of(point_of(trial) for trial in own.values()).members
        return own[front[int(self._rng.integers(len(front)))].trial].params if front else None

    def _one(self) -> Parent:
        a, b = (self._trials[int(i)] for i in self._rng.integers(len(self._trials), size=2))
        return (b if dominates(point_of(b), point_of(a)) else a).params


def is_warm_start(trial: FrozenTrial) -> bool:
    """Was the trial enqueued with its genes given?"""
    return "fixed_params" in trial.system_attrs


def point_of(trial: FrozenTrial) -> Point:
    """A complete trial in the plane of the objectives."""
    return Point(trial.number, trial.values[0], trial.values[1])


Thinning = Callable[[Front, int], list[Point]]
"""So many members of a front, the ones to keep."""


def fittest(trials: Sequence[FrozenTrial], n_wanted: int, wanted: Wanted, thinned: Thinning) -> list[FrozenTrial]:
    """Whole fronts first, the last one thinned (Deb et al. (2002), III-C).

    What misses the user's bounds comes after everything that keeps them, by how far it misses (VI-A there).
    """
    by_number = {trial.number: trial for trial in trials}
    violation = {number: wanted.violation(point_of(trial)) for number, trial in by_number.items()}
    left = [point_of(trial) for number, trial in by_number.items() if violation[number] <= 0.0]
    chosen: list[Point] = []
    while left and len(chosen) < n_wanted:
        front = Front.of(left)
        members = {point.trial for point in front}
        left = [point for point in left if point.trial not in members]
        chosen += thinned(front, n_wanted - len(chosen))
    missing = sorted((number for number in by_number if violation[number] > 0.0), key=lambda n: (violation[n], n))
    return [by_number[number] for number in [*(point.trial for point in chosen), *missing][:n_wanted]]


def _inherited(name: str, first: Parent, second: Parent, rng: np.random.Generator) -> Value | None:
    """The gene of either parent; of the one that has it, where only one does."""
    order = (second, first) if rng.random() < 0.5 else (first, second)
    for parent in order:
        if name in parent:
            value: Value = parent[name]
            return value
    return None


def _random_value(gene: Gene, rng: np.random.Generator) -> Value:
    """Uniform over choices, over the range, or over the logarithm of a range of several decades."""
    if gene.choices:
        return gene.choices[int(rng.integers(len(gene.choices)))]
    low, high = (math.log(end) if gene.log else end for end in (gene.low, gene.high))
    drawn = low + float(rng.random()) * (high - low)
    value = min(max(math.exp(drawn) if gene.log else drawn, gene.low), gene.high)
    return round(value) if gene.is_integer else value
