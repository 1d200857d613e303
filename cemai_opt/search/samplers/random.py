"""Draws every hyperparameter at random."""

from __future__ import annotations

from optuna.samplers import BaseSampler, RandomSampler

from cemai_opt.core.space import SearchSpace
from cemai_opt.search.samplers._sampler import Sampler, SamplerContext


class Random(Sampler):
    """Independent random draws."""

    def _build(self, space: SearchSpace, context: SamplerContext) -> BaseSampler:
        return RandomSampler(seed=context.session_seed)
