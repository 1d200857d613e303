"""The base class of linear models: their outputs are sums of products, computed in double precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.models._arrays import write_arrays
from cemai_opt.models._estimator import EstimatorModel
from cemai_opt.models._onnx import FlatInput

FILE = "linear.safetensors"


@dataclass(kw_only=True)
class Restored:
    """What predictions need of a linear estimator of scikit-learn, under its names."""

    coef_: FloatArray
    intercept_: FloatArray


class LinearModel(EstimatorModel):
    """A fitted estimator with `coef_` and `intercept_`. Subclasses implement `hyperparameters` and `_estimator`."""

    requires = ("sklearn",)

    def _write(self, folder: Path) -> dict[str, Any]:
        """Numbers only: skops and scikit-learn take seconds to load, which costs more than most predictions."""
        if self.task.is_classification and len(self._seen) == 1:
            return super()._write(folder)
        fitted = self._linear()
        arrays = {"coef": np.asarray(fitted.coef_), "intercept": np.asarray(fitted.intercept_)}
        write_arrays(folder / FILE, arrays)
        return {"seen": self._seen.tolist() if self.task.is_classification else None, "file": FILE}

    def _read(self, folder: Path, state: Mapping[str, Any]) -> None:
        from safetensors.numpy import load_file

        if state["file"] != FILE:  # a constant, or of an earlier version
            super()._read(folder, state)
            return
        if state["seen"] is not None:
            self._seen = np.asarray(state["seen"], np.int64)
        found = load_file(folder / FILE)
        self._fitted = Restored(coef_=found["coef"], intercept_=found["intercept"])

    def _flat(self, X: FloatArray) -> FloatArray:
        """In double precision, because single precision is too low for nearly collinear rolling statistics."""
        return super()._flat(X).astype(np.float64)

    def _linear(self) -> Any:
        """The fitted linear estimator."""
        return self._fitted

    def _outputs(self, X: FloatArray) -> FloatArray:
        """`X @ coef.T + intercept`: (n, n_outputs). With BLAS, rounding of a row would depend on the other rows."""
        fitted = self._linear()
        coefficients = np.ascontiguousarray(np.atleast_2d(fitted.coef_))  # the order of additions depends on the layout
        outputs: FloatArray = np.einsum("ij,kj->ik", X, coefficients) + fitted.intercept_
        return outputs

    def _values(self, X: FloatArray) -> FloatArray:
        return self._outputs(X)[:, 0]

    def _class_scores(self, X: FloatArray) -> FloatArray:
        """Distances from the decision boundaries: (n, n_seen)."""
        if len(self._seen) == 1:
            return np.ones((len(X), 1))
        margin = self._outputs(X)
        return margin if margin.shape[1] > 1 else np.column_stack([-margin, margin])

    def _graph(self, seen: IntArray | None, x: FlatInput) -> Any:
        from cemai_opt.models._onnx import affine

        fitted = self._linear()
        return affine(fitted.coef_, fitted.intercept_, seen=seen, n_classes=self.task.n_classes, x=x)
