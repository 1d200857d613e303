"""NSGA-II that also evolves conditional hyperparameters: those of each model.

Generations and elitism are those of Deb et al. (2002), IEEE TEVC 6(2), implemented by Optuna. Differences: crossover
works branch by branch, crowding is measured over log grams because costs span decades, and of equal trials one
survives (III-B there keeps all).
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

from cemai_opt.core.front import ParetoFront, Point
from cemai_opt.core.space import SearchSpace
from cemai_opt.search.samplers._breeding import Breeder, fittest, is_warm_start
from cemai_opt.search.samplers._sampler import PARENT, Sampler, SamplerContext


class NSGAII(Sampler):
    """NSGA-II, branch-aware: evolves each model's own hyperparameters, counts warm starts, avoids repeats."""

    def _build(self, space: SearchSpace, context: SamplerContext) -> BaseSampler:
        return BranchAwareNSGAIISampler(space, context)


class BranchAwareNSGAIISampler(NSGAIISampler):
    """Renaming this class restarts the evolution of resumed studies: Optuna stores generations under its name."""

    def __init__(self, space: SearchSpace, context: SamplerContext) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            super().__init__(
                population_size=context.population_size,
                seed=context.seed,
                elite_population_selection_strategy=self._elite,
            )
        self._context, self._breeder = context, Breeder(space, context)
        self._begun: dict[int, int] = {}
        """Generation of each trial of this session."""
        self._grown: dict[int, int | None] = {}
        """Generation of each complete trial, None for guests; cached, because there are many trials."""
        self._sizes: Counter[int | None] = Counter()

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Assigns a generation to every trial, warm starts included, so that they become parents."""
        super().before_trial(study, trial)
        self.get_trial_generation(study, trial)

    def get_trial_generation(self, study: Study, trial: FrozenTrial) -> int:
        """The generation of a trial, stored with it.

        Warm starts join the first generation but do not fill it: all of them are library defaults, and a population
        of defaults has no values to cross. Candidates from learning curves do not fill the generation of their parents.
        """
        key = self._get_generation_key()
        if trial.number in self._begun:  # Optuna's copy of the trial is older than this
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
        """All open hyperparameters: a child has only the active ones of them."""
        return self._breeder.distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Active hyperparameters of a new child, or of a random configuration in the first generation."""
        if is_warm_start(trial):
            return {}
        generation = self.get_trial_generation(study, trial)
        return dict(self._breeder.child(study, trial, parents=self.get_parent_population(study, generation)))

    def _elite(self, study: Study, population: list[FrozenTrial]) -> list[FrozenTrial]:
        """The fittest of a population, the last front thinned by crowding."""
        assert self.population_size is not None, "set in the constructor"
        return fittest(population, self.population_size, constraints=self._context.constraints, thinned=_least_crowded)


def _least_crowded(whole: ParetoFront, n: int) -> list[Point]:
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
    """Whether a trial is in its generation without having been sampled for it."""
    return is_warm_start(trial) or PARENT in trial.user_attrs
