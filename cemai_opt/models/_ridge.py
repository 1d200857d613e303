"""The base class of ridge regressions, whose solution follows from sums over the training rows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, Samples
from cemai_opt.core.hyperparameters import Value
from cemai_opt.models._linear import LinearModel
from cemai_opt.models._model import CLASS_WEIGHT
from cemai_opt.models._moments import Moments

MANY_VALUES = 1 << 24
"""Values of the training rows in 64 bits (128 MB) from which they are not expanded all at once."""
PRODUCT_COLUMNS = 1000.0
"""Columns whose products with one another take as long as all other work (docs/decisions/green_search.md)."""
MOST_COLUMNS = 4096
"""Columns up to which that is done: the products of more take more than 128 MB themselves."""


class RidgeModel(LinearModel):
    """A linear model with an L2 penalty `alpha` (scikit-learn). Subclasses implement `hyperparameters`.

    New rows can be added exactly without the earlier ones, because the sums add up.
    """

    continues = partial_fit_is_exact = True
    _moments: Moments | None = None

    @classmethod
    def effort(cls, params: Mapping[str, Value], n_columns: float) -> float:
        """Each column is multiplied with all others."""
        return 1.0 + n_columns / PRODUCT_COLUMNS

    def _estimator(self) -> Any:
        from sklearn.linear_model import Ridge, RidgeClassifier

        kind = RidgeClassifier if self.task.is_classification else Ridge
        return kind(alpha=self.params["alpha"], random_state=self.task.seed)

    def _fit(self, X: FloatArray, y: FloatArray, *, group: IntArray) -> None:
        n_flat = self._flat(X[:1]).shape[1]
        is_weighted = self.params.get(CLASS_WEIGHT) == "balanced"
        if len(X) * n_flat < MANY_VALUES or n_flat > MOST_COLUMNS or is_weighted:
            super()._fit(X, y, group=group)
            return
        self._categorical = self.categorical(X.shape[1], X.shape[2])
        self._fitted = self._estimator()
        if self.task.is_classification:
            self._seen = np.unique(y.astype(np.int64))
            if len(self._seen) == 1:
                return
        self._fit_estimator(*self._tiny(X, y), weight=None)  # sets everything but the solution
        self._solve(self._moments_of(X, y))

    def _tiny(self, X: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray | IntArray]:
        """One row of each class, or the first two rows."""
        if not self.task.is_classification:
            return self._training_flat(X[:2]), y[:2]
        codes = np.searchsorted(self._seen, y.astype(np.int64))
        rows = np.unique(codes, return_index=True)[1]
        return self._training_flat(X[rows]), codes[rows]

    def _moments_of(self, X: FloatArray, y: FloatArray) -> Moments:
        """Moments of the rows, some of which are expanded at a time."""
        n_rows = max(MANY_VALUES // 8 // self._flat(X[:1]).shape[1], 1)
        chunks = (slice(first, first + n_rows) for first in range(0, len(X), n_rows))
        return reduce(Moments.merged, (Moments.of(self._training_flat(X[c]), self._goals(y[c])) for c in chunks))

    def _solve(self, moments: Moments) -> None:
        """Replaces the solution by that for these moments."""
        coefficients, intercept = moments.ridge(float(self.params["alpha"]))
        is_flat = self._fitted.coef_.ndim == 1
        self._fitted.coef_ = coefficients[0] if is_flat else coefficients
        self._fitted.intercept_ = float(intercept[0]) if is_flat else intercept

    def summarize(self, samples: Samples) -> None:
        """Keeps the moments of the training rows, unless there are too many features."""
        self._moments = None
        if not self._why_no_moments(self._flat(samples.X[:1]).shape[1]) and not super()._why_not_partial_fit(samples.y):
            self._moments = self._moments_of(np.asarray(samples.X), samples.y)

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
        self._moments = self._moments.merged(self._moments_of(X, y))
        self._solve(self._moments)

    def _write(self, folder: Path) -> dict[str, Any]:
        written = super()._write(folder)
        return written if self._moments is None else {**written, "moments": self._moments.write(folder)}

    def _read(self, folder: Path, state: Mapping[str, Any]) -> None:
        super()._read(folder, state)
        if state.get("moments") is not None:
            self._moments = Moments.read(folder / state["moments"])
