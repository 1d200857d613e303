"""The base of models with scikit-learn's interface: they see a window as one flat row."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, Prediction
from cemai_opt.models._model import Model


class EstimatorModel(Model):
    """A model that wraps an estimator. A part writes `genes` and `_estimator`."""

    @abstractmethod
    def _estimator(self) -> Any:
        """The unfitted estimator for `self.job` with `self.params`."""

    def _fit(self, X: FloatArray, y: FloatArray, group: IntArray) -> None:
        self._fitted = self._estimator()
        if self.job.is_classification:
            self._seen, codes = np.unique(y.astype(np.int64), return_inverse=True)
            if len(self._seen) > 1:  # of one class alone there is nothing to learn, and some libraries refuse
                self._learn(self._flat(X), codes)
        else:
            self._learn(self._flat(X), y)

    def _learn(self, X: FloatArray, y: FloatArray | IntArray) -> None:
        """Fits the estimator; `X`: (n, window * n_features). A part that grows writes its own."""
        self._fitted.fit(X, y)

    def _predict(self, X: FloatArray) -> Prediction:
        if not self.job.is_classification:
            return Prediction(self._values(self._flat(X)))
        by_seen = self._class_scores(self._flat(X))
        by_class = np.full((len(X), self.job.n_classes), by_seen.min(initial=0.0))  # below any class seen
        by_class[:, self._seen] = by_seen
        return Prediction(self._seen[by_seen.argmax(axis=1)].astype(np.float64), by_class)

    def _values(self, X: FloatArray) -> FloatArray:
        """Predicted numbers: (n,)."""
        return np.asarray(self._fitted.predict(X), np.float64)

    def _class_scores(self, X: FloatArray) -> FloatArray:
        """Scores of the classes seen in training: (n, n_seen)."""
        if len(self._seen) == 1:
            return np.ones((len(X), 1))
        if hasattr(self._fitted, "predict_proba"):
            return np.asarray(self._fitted.predict_proba(X), np.float64)
        margin = np.asarray(self._fitted.decision_function(X), np.float64)
        return margin if margin.ndim == 2 else np.column_stack([-margin, margin])

    def _flat(self, X: FloatArray) -> FloatArray:
        """`(n, window, n_features)` as `(n, window * n_features)`, time-major, without a copy."""
        return X.reshape(len(X), -1)
