"""Optuna's own NSGA-II, for comparison."""

from __future__ import annotations

from optuna.samplers import BaseSampler, NSGAIISampler

from cemai_opt.core.space import SearchSpace
from cemai_opt.search.samplers._sampler import Sampler, SamplerContext


class StockNSGAII(Sampler):
    """NSGA-II as Optuna ships it: a model's own hyperparameters are drawn at random, never inherited."""

    def _build(self, space: SearchSpace, context: SamplerContext) -> BaseSampler:
        return NSGAIISampler(population_size=context.population_size, seed=context.session_seed)
