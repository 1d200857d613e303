"""The sampler that wins in `benchmarks/search` at the given budget: docs/decisions/green_search.md has the figures."""

from __future__ import annotations

from optuna.samplers import BaseSampler

from cemai_opt.core.space import SearchSpace
from cemai_opt.search.samplers._sampler import Sampler, SamplerContext
from cemai_opt.search.samplers.nsga2 import BranchAwareNSGAIISampler
from cemai_opt.search.samplers.sms_emoa import SteadyStateSampler

LONG = 500
"""From this many trials on, generations have no disadvantage any more, and preserve more diversity."""


class Auto(Sampler):
    """The sampler with the best result per gram: steady-state evolution; NSGA-II from 500 trials on."""

    def _build(self, space: SearchSpace, context: SamplerContext) -> BaseSampler:
        if context.trials >= LONG and not context.done:
            return BranchAwareNSGAIISampler(space, context)
        return SteadyStateSampler(space, context)  # depends on the study only, so a resumed search loses nothing
