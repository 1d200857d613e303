"""Linear regression with an L2 penalty: the cheap baseline that other models have to beat."""

from __future__ import annotations

from typing import Any

import numpy as np

from cemai_opt.core.batch import FloatArray
from cemai_opt.core.hyperparameters import Hyperparameter, real
from cemai_opt.models._estimator import EstimatorModel


class Ridge(EstimatorModel):
    """Linear model with an L2 penalty (scikit-learn)."""

    requires = ("sklearn",)
    cost_rank = 10

    @classmethod
    def hyperparameters(cls, task: str) -> tuple[Hyperparameter, ...]:
        """The strength of the penalty."""
        return (real("alpha", 1e-3, high=1e4, default=1.0, log=True),)

    def _flat(self, X: FloatArray) -> FloatArray:
        """In double precision, because single precision is too low for nearly collinear rolling statistics."""
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

        seen = self._seen if self.task.is_classification else None
        if seen is not None and len(seen) == 1:
            return constant(seen, self.task.n_classes, window=window, n_features=n_features)
        fitted = self._fitted
        return affine(
            fitted.coef_,
            fitted.intercept_,
            seen=seen,
            n_classes=self.task.n_classes,
            window=window,
            n_features=n_features,
        )

    def _estimator(self) -> Any:
        from sklearn.linear_model import Ridge, RidgeClassifier

        kind = RidgeClassifier if self.task.is_classification else Ridge
        return kind(alpha=self.params["alpha"], random_state=self.task.seed)


def _affine(X: FloatArray, fitted: Any) -> FloatArray:
    """`X @ coef.T + intercept`: (n, n_outputs). With BLAS, rounding of a row would depend on the other rows."""
    outputs: FloatArray = np.einsum("ij,kj->ik", X, np.atleast_2d(fitted.coef_)) + fitted.intercept_
    return outputs
