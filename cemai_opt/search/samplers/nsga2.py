"""NSGA-II that also evolves what only some configurations have: the hyperparameters of each model.

Generations and elitism are those of Deb et al. (2002), IEEE TEVC 6(2), kept by Optuna. What differs:
- Genes are crossed and mutated in the order of their conditions, so a child has exactly the genes that matter for it.
- Crowding is measured over log grams, because costs span decades; of equal trials one survives (III-B there keeps all).
- A child changes its model with a probability of its own, and then takes over the genes of a good trial of that model:
  without it a small population soon holds one model only.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, NSGAIISampler
from optuna.trial import FrozenTrial, TrialState

from cemai_opt.core.front import Front, Point, dominates
from cemai_opt.core.genes import Gene, Value
from cemai_opt.core.space import MODEL, SearchSpace
from cemai_opt.search.samplers._sampler import Budget, Sampler
from cemai_opt.search.suggest import distribution

MUTATIONS_A_CHILD = 2.0
"""Genes that a child draws anew, on average; this and the next figure: docs/decisions/sampler.md."""
MODEL_MUTATION = 0.05
"""Probability that a child changes its model."""
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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            super().__init__(
                population_size=population_size, seed=seed, elite_population_selection_strategy=self._elite
            )
        self._space, self._seed, self._seen = space, seed, seen
        self._distributions = {name: distribution(gene) for name, gene in space.genes.items() if gene.searched}

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Gives every trial a generation, warm starts too, so that they become parents."""
        super().before_trial(study, trial)
        self.get_trial_generation(study, trial)

    def get_trial_generation(self, study: Study, trial: FrozenTrial) -> int:
        """The generation of a trial, stored with it.

        Warm starts join the first generation but do not fill it: all of them are library defaults, and a population
        of defaults has no values to cross.
        """
        key = self._get_generation_key()
        if key in trial.system_attrs:
            return int(trial.system_attrs[key])
        complete = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        grown = [t.system_attrs[key] for t in complete if key in t.system_attrs and not _is_warm_start(t)]
        generation = max(grown, default=0)
        assert self.population_size is not None, "set in the constructor"
        if grown.count(generation) >= self.population_size:
            generation += 1
        study._storage.set_trial_system_attr(trial._trial_id, key, generation)
        return int(generation)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """All open genes: a child has only the active ones of them."""
        return self._distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Active genes of a child that was not run before, or of a random configuration in the first generation."""
        if _is_warm_start(trial):
            return {}
        rng = np.random.default_rng((self._seed, trial.number))
        generation = self.get_trial_generation(study, trial)
        parents = _Parents(self.get_parent_population(study, generation), study, rng)
        child: dict[str, Value] = {}
        for attempt in range(MAX_TRIES):
            child = self._child(parents, rng, attempt)
            if self._space.active(child).digest not in self._seen:
                break
        return {name: value for name, value in child.items() if self._space.genes[name].searched}

    def _child(self, parents: _Parents, rng: np.random.Generator, attempt: int) -> dict[str, Value]:
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

    def _elite(self, study: Study, population: list[FrozenTrial]) -> list[FrozenTrial]:
        """The fittest of a population: whole fronts first, the last one thinned by crowding."""
        by_number = {trial.number: trial for trial in population}
        left = [_point(trial) for trial in population]
        chosen: list[Point] = []
        assert self.population_size is not None, "set in the constructor"
        while left and len(chosen) < self.population_size:
            front = list(Front.of(left))
            members = {point.trial for point in front}
            left = [point for point in left if point.trial not in members]
            chosen += _least_crowded(front, self.population_size - len(chosen))
        return [by_number[point.trial] for point in chosen]


def _least_crowded(front: list[Point], n: int) -> list[Point]:
    """The `n` members of a front with the widest gap between their neighbours; its two ends come first."""
    if len(front) <= n:
        return front
    width = (front[-1].log_carbon - front[0].log_carbon or 1.0, front[-1].score - front[0].score or 1.0)

    def gap(i: int) -> float:
        if i in (0, len(front) - 1):
            return math.inf
        a, b = front[i - 1], front[i + 1]
        return (b.log_carbon - a.log_carbon) / width[0] + (b.score - a.score) / width[1]

    widest = sorted(range(len(front)), key=gap, reverse=True)[:n]
    return [front[i] for i in sorted(widest)]


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
        front = Front.of(_point(trial) for trial in own.values()).members
        return own[front[int(self._rng.integers(len(front)))].trial].params if front else None

    def _one(self) -> Parent:
        a, b = (self._trials[int(i)] for i in self._rng.integers(len(self._trials), size=2))
        return (b if dominates(_point(b), _point(a)) else a).params


def _is_warm_start(trial: FrozenTrial) -> bool:
    """Was the trial enqueued with its genes given?"""
    return "fixed_params" in trial.system_attrs


def _point(trial: FrozenTrial) -> Point:
    """A complete trial in the plane of the objectives."""
    return Point(trial.number, trial.values[0], trial.values[1])


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
