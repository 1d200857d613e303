"""Optuna's Gaussian process."""

from __future__ import annotations

import warnings

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, GPSampler

from cemai_opt.core.space import SearchSpace
from cemai_opt.search.samplers._sampler import Sampler, SamplerContext


class GP(Sampler):
    """Gaussian process with expected hypervolume improvement (Optuna): seconds per suggestion; for short searches of
    expensive pipelines. Hyperparameters that only some pipelines have are drawn at random."""

    requires = ("torch", "scipy")

    def _build(self, space: SearchSpace, context: SamplerContext) -> BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return GPSampler(seed=context.session_seed, deterministic_objective=True)
