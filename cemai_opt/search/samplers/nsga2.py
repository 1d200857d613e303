"""NSGA-II that also evolves what only some configurations have: the hyperparameters of each model.

Generations and elitism are those of Deb et al. (2002), IEEE TEVC 6(2), kept by Optuna. What differs: children are bred
branch by branch, crowding is measured over log grams because costs span decades, and of equal trials one survives
(III-B there keeps all).
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, NSGAIISampler
from optuna.trial import FrozenTrial, TrialState

from cemai_opt.core.front import Front, Point
from cemai_opt.core.space import SearchSpace
from cemai_opt.search.samplers._breeding import Breeder, fittest, is_warm_start
from cemai_opt.search.samplers._sampler import PARENT, Budget, Sampler


class NSGAII(Sampler):
    """NSGA-II, branch-aware: evolves each model's own hyperparameters, counts warm starts, avoids repeats."""

    def _build(self, space: SearchSpace, budget: Budget) -> BaseSampler:
        return BranchAwareNSGAIISampler(space, budget)


class BranchAwareNSGAIISampler(NSGAIISampler):
    """Renaming this class restarts the evolution of resumed studies: Optuna stores generations under its name."""

    def __init__(self, space: SearchSpace, budget: Budget) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            super().__init__(
                population_size=budget.population_size,
                seed=budget.seed,
                elite_population_selection_strategy=self._elite,
            )
        self._budget, self._breeder = budget, Breeder(space, budget)
        self._begun: dict[int, int] = {}
        """Generation of each trial of this session."""
        self._grown: dict[int, int | None] = {}
        """Generation of each complete trial, None for guests; trials are many, and each is looked at once."""
        self._sizes: Counter[int | None] = Counter()

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Gives every trial a generation, warm starts too, so that they become parents."""
        super().before_trial(study, trial)
        self.get_trial_generation(study, trial)

    def get_trial_generation(self, study: Study, trial: FrozenTrial) -> int:
        """The generation of a trial, stored with it.

        Warm starts join the first generation but do not fill it: all of them are library defaults, and a population
        of defaults has no values to cross. Nor do harvested trials fill the generation of their parents.
        """
        key = self._get_generation_key()
        if trial.number in self._begun:  # the copy of the trial that Optuna hands over is from before
            return self._begun[trial.number]
        if key in trial.system_attrs:
            return int(trial.system_attrs[key])
        complete = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        for grown in complete:
            if grown.number not in self._grown:
                has_grown = key in grown.system_attrs and not _is_guest(grown)
                self._grown[grown.number] = int(grown.system_attrs[key]) if has_grown else None
                self._sizes[self._grown[grown.number]] += 1
        generation = max((number for number in self._sizes if number is not None), default=0)
        assert self.population_size is not None, "set in the constructor"
        if self._sizes[generation] >= self.population_size:
            generation += 1
        study._storage.set_trial_system_attr(trial._trial_id, key, generation)
        self._begun[trial.number] = generation
        return generation

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """All open genes: a child has only the active ones of them."""
        return self._breeder.distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Active genes of a child that was not run before, or of a random configuration in the first generation."""
        if is_warm_start(trial):
            return {}
        generation = self.get_trial_generation(study, trial)
        return dict(self._breeder.child(study, trial, self.get_parent_population(study, generation)))

    def _elite(self, study: Study, population: list[FrozenTrial]) -> list[FrozenTrial]:
        """The fittest of a population, the last front thinned by crowding."""
        assert self.population_size is not None, "set in the constructor"
        return fittest(population, self.population_size, self._budget.wanted, _least_crowded)


def _least_crowded(whole: Front, n: int) -> list[Point]:
    """The `n` members of a front with the widest gap between their neighbours; its two ends come first."""
    front = list(whole)
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


def _is_guest(trial: FrozenTrial) -> bool:
    """Is it in its generation without having been bred for it?"""
    return is_warm_start(trial) or PARENT in trial.user_attrs
