"""Linear regression with an L2 penalty: the cheap baseline that everything else has to beat."""

from __future__ import annotations

from typing import Any

import numpy as np

from cemai_opt.core.batch import FloatArray
from cemai_opt.core.genes import Gene, real
from cemai_opt.models._estimator import EstimatorModel


class Ridge(EstimatorModel):
    """Linear model with an L2 penalty (scikit-learn)."""

    requires = ("sklearn",)
    cost_rank = 10

    @classmethod
    def genes(cls, task: str) -> tuple[Gene, ...]:
        """One: the penalty."""
        return (real("alpha", 1e-3, 1e4, 1.0, log=True),)

    def _flat(self, X: FloatArray) -> FloatArray:
        """In double precision: rolling statistics are nearly collinear, and single precision cannot solve that."""
        return super()._flat(X).astype(np.float64)

    def _estimator(self) -> Any:
        from sklearn.linear_model import Ridge, RidgeClassifier

        kind = RidgeClassifier if self.job.is_classification else Ridge
        return kind(alpha=self.params["alpha"], random_state=self.job.seed)
