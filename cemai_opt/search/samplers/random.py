"""Draws every gene at random."""

from __future__ import annotations

from optuna.samplers import BaseSampler, RandomSampler

from cemai_opt.core.space import SearchSpace
from cemai_opt.search.samplers._sampler import Budget, Sampler


class Random(Sampler):
    """Independent random draws."""

    def _build(self, space: SearchSpace, budget: Budget) -> BaseSampler:
        return RandomSampler(seed=budget.session_seed)
