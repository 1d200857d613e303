"""NSGA-II that also evolves what only some configurations have: the hyperparameters of each model.

Selection is Optuna's, after Deb et al. (2002), IEEE TEVC 6(2). What differs is how a child is made: genes are crossed
and mutated in the order of their conditions, so that a child has exactly the genes that matter for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, NSGAIISampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from cemai_opt.core.genes import Gene, Value
from cemai_opt.core.space import MODEL, SearchSpace
from cemai_opt.search.samplers._sampler import Budget, Sampler
from cemai_opt.search.suggest import distribution

CROSSOVER_PROBABILITY = 0.9
FAR_MUTATION_SHARE = 0.3
"""Share of numeric mutations that jump anywhere in the range; the others stay near."""
NEAR_MUTATION = 0.1
"""Standard deviation of a near mutation, as a share of the range (of its logarithm on a log scale)."""
MAX_TRIES = 40
"""Attempts at a child that was not run before; each further one mutates more genes."""

Parent = Mapping[str, Any]


class NSGAII(Sampler):
    """NSGA-II, branch-aware: evolves each model's own hyperparameters, counts warm starts, avoids repeats."""

    def _build(self, space: SearchSpace, budget: Budget) -> BaseSampler:
        return BranchAwareNSGAIISampler(space, budget.population_size, budget.seed, budget.seen)


class BranchAwareNSGAIISampler(NSGAIISampler):
    """Renaming this class restarts the evolution of resumed studies: Optuna stores generations under its name."""

    def __init__(self, space: SearchSpace, population_size: int, seed: int, seen: set[str]) -> None:
        super().__init__(population_size=population_size, seed=seed)
        self._space, self._seed, self._seen = space, seed, seen
        self._distributions = {name: distribution(gene) for name, gene in space.genes.items() if gene.searched}

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Gives every trial a generation, warm starts too, so that they become parents."""
        super().before_trial(study, trial)
        self.get_trial_generation(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """All open genes: a child has only the active ones of them."""
        return self._distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Active genes of a child that was not run before, or of a random configuration in the first generation."""
        if "fixed_params" in trial.system_attrs:  # a warm start brings its own genes
            return {}
        rng = np.random.default_rng((self._seed, trial.number))
        generation = self.get_trial_generation(study, trial)
        parents = self.get_parent_population(study, generation)
        child: dict[str, Value] = {}
        for attempt in range(MAX_TRIES):
            child = self._child(_Parents(parents, study.directions, rng), rng, attempt)
            if self._space.active(child).digest not in self._seen:
                break
        return {name: value for name, value in child.items() if self._space.genes[name].searched}

    def _child(self, parents: _Parents, rng: np.random.Generator, attempt: int) -> dict[str, Value]:
        first, second = parents.pair()
        crosses = rng.random() < CROSSOVER_PROBABILITY
        n_genes = max(len(first), 1)
        mutation_probability = min(1.0, (1.0 + 0.25 * attempt) / n_genes)
        child: dict[str, Value] = {}
        for name, gene in self._space.genes.items():
            if not self._space.is_active(name, child):
                continue
            if not gene.searched:
                child[name] = gene.default
                continue
            inherited = _inherited(name, first, second, crosses, rng)
            if inherited is None:
                child[name] = _random_value(gene, rng)
            elif rng.random() < mutation_probability:
                child[name] = _mutated(gene, inherited, rng)
            else:
                child[name] = inherited
            if name == MODEL and child[name] not in (first.get(MODEL), second.get(MODEL)):
                second = parents.of_model(child[name]) or second
        return child


class _Parents:
    """The parent population, from which pairs are drawn by binary tournament."""

    def __init__(
        self, trials: Sequence[FrozenTrial], directions: Sequence[StudyDirection], rng: np.random.Generator
    ) -> None:
        self._trials, self._rng = trials, rng
        self._signs = [1.0 if d == StudyDirection.MAXIMIZE else -1.0 for d in directions]

    def pair(self) -> tuple[Parent, Parent]:
        """Two parents; empty ones where there is no population yet."""
        return (self._one(), self._one()) if self._trials else ({}, {})

    def of_model(self, model: Value) -> Parent | None:
        """A parent that has this model, whose hyperparameters a child of a mutated model takes over."""
        fitting = [trial.params for trial in self._trials if trial.params.get(MODEL) == model]
        return fitting[int(self._rng.integers(len(fitting)))] if fitting else None

    def _one(self) -> Parent:
        a, b = (self._trials[int(i)] for i in self._rng.integers(len(self._trials), size=2))
        return (b if self._dominates(b, a) else a).params

    def _dominates(self, a: FrozenTrial, b: FrozenTrial) -> bool:
        gains = [sign * (x - y) for sign, x, y in zip(self._signs, a.values, b.values, strict=True)]
        return bool(min(gains) >= 0.0 and max(gains) > 0.0)


def _inherited(name: str, first: Parent, second: Parent, crosses: bool, rng: np.random.Generator) -> Value | None:
    """The gene of either parent; of the one that has it, where only one does."""
    order = (second, first) if crosses and rng.random() < 0.5 else (first, second)
    for parent in order:
        if name in parent:
            value: Value = parent[name]
            return value
    return None


def _random_value(gene: Gene, rng: np.random.Generator) -> Value:
    if gene.choices:
        return gene.choices[int(rng.integers(len(gene.choices)))]
    return _at(gene, float(rng.random()))


def _mutated(gene: Gene, value: Value, rng: np.random.Generator) -> Value:
    if gene.choices:
        others = [choice for choice in gene.choices if choice != value]
        return others[int(rng.integers(len(others)))] if others else value
    if rng.random() < FAR_MUTATION_SHARE:
        return _random_value(gene, rng)
    return _at(gene, float(np.clip(_place(gene, float(value)) + rng.normal(0.0, NEAR_MUTATION), 0.0, 1.0)))


def _place(gene: Gene, value: float) -> float:
    """Where a value lies in its range, from 0 to 1, on the gene's own scale."""
    low, high, value = (math.log(x) if gene.log else x for x in (gene.low, gene.high, value))
    return (value - low) / (high - low)


def _at(gene: Gene, place: float) -> Value:
    """The value at a place between 0 and 1 of the range."""
    if gene.log:
        value = math.exp(math.log(gene.low) + place * (math.log(gene.high) - math.log(gene.low)))
    else:
        value = gene.low + place * (gene.high - gene.low)
    value = min(max(value, gene.low), gene.high)
    return round(value) if gene.is_integer else value
