"""Optuna's tree-structured Parzen estimator."""

from __future__ import annotations

import warnings

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler

from cemai_opt.core.space import SearchSpace
from cemai_opt.search.samplers._sampler import Budget, Sampler


class TPE(Sampler):
    """Tree-structured Parzen estimator (Optuna), multivariate, one group of genes a branch."""

    def _build(self, space: SearchSpace, budget: Budget) -> BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return TPESampler(multivariate=True, group=True, seed=budget.session_seed)
