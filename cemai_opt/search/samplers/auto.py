"""What wins in `benchmarks/search` at the given budget: docs/decisions/green_search.md has the figures."""

from __future__ import annotations

from optuna.samplers import BaseSampler

from cemai_opt.core.space import SearchSpace
from cemai_opt.search.samplers._sampler import Budget, Sampler
from cemai_opt.search.samplers.nsga2 import BranchAwareNSGAIISampler
from cemai_opt.search.samplers.sms_emoa import SteadyStateSampler

LONG = 500
"""From so many trials on generations lose nothing any more, and keep more variety."""


class Auto(Sampler):
    """The sampler that finds most for its grams: steady-state evolution; NSGA-II from 500 trials on."""

    def _build(self, space: SearchSpace, budget: Budget) -> BaseSampler:
        if budget.trials >= LONG and not budget.done:
            return BranchAwareNSGAIISampler(space, budget)
        return SteadyStateSampler(space, budget)  # knows the study alone, so a search that goes on loses nothing
