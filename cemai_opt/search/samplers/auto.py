"""What wins in `benchmarks/search`: docs/decisions/green_search.md has the figures."""

from __future__ import annotations

from optuna.samplers import BaseSampler

from cemai_opt.core.space import SearchSpace
from cemai_opt.search.samplers._sampler import Budget, Sampler
from cemai_opt.search.samplers.sms_emoa import SteadyStateSampler


class Auto(Sampler):
    """The sampler that finds most for its grams: steady-state evolution, at every budget that was tried."""

    def _build(self, space: SearchSpace, budget: Budget) -> BaseSampler:
        return SteadyStateSampler(space, budget)
