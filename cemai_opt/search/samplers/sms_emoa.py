"""Evolution without generations, in which each pipeline lives by the hypervolume that it adds.

Beume, Naujoks, Emmerich (2007), European Journal of Operational Research 181(3), section 3: the next parents are chosen
from all trials after each single one, by rank and then by contribution to the hypervolume. A generation that waits
for ten trials before it learns from them wastes grams, and crowding keeps the useless end of a front alive.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial, TrialState

from cemai_opt.core.front import Box, Front, Point
from cemai_opt.core.space import SearchSpace
from cemai_opt.search.samplers._breeding import Breeder, fittest, is_warm_start, point_of
from cemai_opt.search.samplers._sampler import Budget, Sampler

PARENTS, SHARE_OF_KNOWN = 10, 0.05
"""Parents are drawn from so many trials, or from this share of all: the longer a search, the wider it looks."""
MIN_KNOWN = 4
"""Fewer complete trials than this have no values to cross: the next one is drawn at random."""


class SMSEMOA(Sampler):
    """Steady-state evolution by hypervolume contribution, branch-aware: evolves each model's own hyperparameters."""

    def _build(self, space: SearchSpace, budget: Budget) -> BaseSampler:
        return SteadyStateSampler(space, budget)


class SteadyStateSampler(BaseSampler):
    """Chooses parents anew for every trial. It keeps no state: the study is all it knows."""

    def __init__(self, space: SearchSpace, budget: Budget) -> None:
        self._budget, self._breeder = budget, Breeder(space, budget)
        self._random = RandomSampler(seed=budget.session_seed)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """All open genes: a child has only the active ones of them."""
        return self._breeder.distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Active genes of a child of two good trials that was not run before."""
        if is_warm_start(trial):
            return {}
        known = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        return dict(self._breeder.child(study, trial, self._survivors(known) if len(known) >= MIN_KNOWN else ()))

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A gene that an enqueued trial left open, at random."""
        return self._random.sample_independent(study, trial, param_name, param_distribution)

    def _survivors(self, known: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        """The trials from which parents are drawn, those of a front by what they add to its hypervolume."""
        n_wanted = self._budget.population or max(PARENTS, round(SHARE_OF_KNOWN * len(known)))
        wanted = self._budget.wanted
        box = Box.around(point for point in map(point_of, known) if wanted.violation(point) <= 0.0)
        return fittest(known, n_wanted, wanted, lambda front, n: _largest(front, box)[:n])


def _largest(front: Front, box: Box) -> list[Point]:
    """Members of a front, the largest contribution to the hypervolume first."""
    contribution = front.contributions(box)
    return sorted(front, key=lambda point: -contribution[point.trial])
