"""The elastic net: a linear model that leaves out the inputs that it can do without."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.core.hyperparameters import Hyperparameter, real
from cemai_opt.models._linear import LinearModel


class ElasticNet(LinearModel):
    """Linear model with an L1 and an L2 penalty, for regressions (scikit-learn).

    `penalty` is the library's `alpha` as a share of the smallest that sets every weight to 0 (Friedman et al. (2010),
    Journal of Statistical Software 33(1), 2.5), because `alpha` itself depends on the unit of the target.
    """

    tasks: ClassVar = ("regression",)
    cost_rank = 14
    is_additive = True

    @classmethod
    def hyperparameters(cls, task: str) -> tuple[Hyperparameter, ...]:
        """The strength of both penalties together, and the share of L1."""
        return (
            real("penalty", 1e-4, high=1.0, default=0.03, log=True),
            real("l1_ratio", 0.1, high=1.0, default=1.0),
        )

    def _estimator(self) -> Any:
        from sklearn.linear_model import ElasticNet as Estimator

        return Estimator(l1_ratio=self.params["l1_ratio"], random_state=self.task.seed)

    def _fit_estimator(self, X: FloatArray, y: FloatArray | IntArray, *, weight: FloatArray | None) -> None:
        largest = np.abs(X.T @ (y - y.mean())).max() / len(X) / self.params["l1_ratio"]
        alpha = max(self.params["penalty"] * largest, np.finfo(float).tiny)
        self._fitted.set_params(alpha=alpha, precompute=len(X) > X.shape[1])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nearly collinear features converge slowly; the score tells
            self._fitted.fit(X, y)
