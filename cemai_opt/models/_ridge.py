"""The base class of ridge regressions, whose solution follows from sums over the training rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, Samples
from cemai_opt.models._linear import LinearModel
from cemai_opt.models._model import CLASS_WEIGHT
from cemai_opt.models._moments import Moments


class RidgeModel(LinearModel):
    """A linear model with an L2 penalty `alpha` (scikit-learn). Subclasses implement `hyperparameters`.

    New rows can be added exactly without the earlier ones, because the sums add up.
    """

    continues = partial_fit_is_exact = True
    _moments: Moments | None = None

    def _estimator(self) -> Any:
        from sklearn.linear_model import Ridge, RidgeClassifier

        kind = RidgeClassifier if self.task.is_classification else Ridge
        return kind(alpha=self.params["alpha"], random_state=self.task.seed)

    def summarize(self, samples: Samples) -> None:
        """Keeps the moments of the training rows, unless there are too many features."""
        self._moments = None
        if not self._why_no_moments(self._flat(samples.X[:1]).shape[1]) and not super()._why_not_partial_fit(samples.y):
            self._moments = Moments.of(self._flat(samples.X), self._goals(samples.y))

    def _why_no_moments(self, n_flat: int) -> str:
        if self.params.get(CLASS_WEIGHT) == "balanced":
            return "the weights of classes depend on all rows"
        if self._encoder is not None:
            return "the encoding of categories depends on all rows"
        return f"it has more than {Moments.MAX_FEATURES} features" if n_flat > Moments.MAX_FEATURES else ""

    def _goals(self, y: FloatArray) -> FloatArray:
        """What the solution is linear in, (n, n_outputs): of classes, 1 for the class of an output, -1 for others."""
        if not self.task.is_classification:
            return y.astype(np.float64)[:, None]
        outputs = self._seen[1:] if len(self._seen) == 2 else self._seen
        return np.where(y[:, None] == outputs, 1.0, -1.0)

    def _why_not_partial_fit(self, y: FloatArray) -> str:
        return super()._why_not_partial_fit(y) or ("" if self._moments else "sums over its training rows are not known")

    def _partial_fit(self, X: FloatArray, y: FloatArray, *, group: IntArray, share: float) -> None:
        assert self._moments is not None, "the caller has asked"
        self._moments = self._moments.merged(Moments.of(self._flat(X), self._goals(y)))
        coefficients, intercept = self._moments.ridge(float(self.params["alpha"]))
        is_flat = self._fitted.coef_.ndim == 1
        self._fitted.coef_ = coefficients[0] if is_flat else coefficients
        self._fitted.intercept_ = float(intercept[0]) if is_flat else intercept

    def _write(self, folder: Path) -> dict[str, Any]:
        written = super()._write(folder)
        return written if self._moments is None else {**written, "moments": self._moments.write(folder)}

    def _read(self, folder: Path, state: Mapping[str, Any]) -> None:
        super()._read(folder, state)
        if state.get("moments") is not None:
            self._moments = Moments.read(folder / state["moments"])
