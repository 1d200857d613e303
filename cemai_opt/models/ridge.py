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

    def _values(self, X: FloatArray) -> FloatArray:
        return _affine(X, self._fitted)[:, 0]

    def _class_scores(self, X: FloatArray) -> FloatArray:
        if len(self._seen) == 1:
            return np.ones((len(X), 1))
        margin = _affine(X, self._fitted)
        return margin if margin.shape[1] > 1 else np.column_stack([-margin, margin])

    def _onnx(self, window: int, n_features: int) -> Any:
        from cemai_opt.models._onnx import affine, constant

        seen = self._seen if self.job.is_classification else None
        if seen is not None and len(seen) == 1:
            return constant(seen, self.job.n_classes, window, n_features)
        fitted = self._fitted
        return affine(fitted.coef_, fitted.intercept_, seen, self.job.n_classes, window, n_features)

    def _estimator(self) -> Any:
        from sklearn.linear_model import Ridge, RidgeClassifier

        kind = RidgeClassifier if self.job.is_classification else Ridge
        return kind(alpha=self.params["alpha"], random_state=self.job.seed)


def _affine(X: FloatArray, fitted: Any) -> FloatArray:
    """`X @ coef.T + intercept`: (n, n_outputs). BLAS would round a row differently beside other rows."""
    outputs: FloatArray = np.einsum("ij,kj->ik", X, np.atleast_2d(fitted.coef_)) + fitted.intercept_
    return outputs
