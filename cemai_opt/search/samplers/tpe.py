"""Optuna's tree-structured Parzen estimator."""

from __future__ import annotations

import warnings

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler

from cemai_opt.core.space import SearchSpace
from cemai_opt.search.samplers._sampler import Sampler, SamplerContext


class TPE(Sampler):
    """Tree-structured Parzen estimator (Optuna), multivariate, one group of hyperparameters per branch."""

    def _build(self, space: SearchSpace, context: SamplerContext) -> BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return TPESampler(multivariate=True, group=True, seed=context.session_seed)
