"""A kernel machine by the Nyström approximation: smooth functions of all variables together, for a ridge's price."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, Prediction
from cemai_opt.core.hyperparameters import Hyperparameter, integer, real
from cemai_opt.core.onnx_graph import OnnxGraph
from cemai_opt.models._arrays import write_arrays
from cemai_opt.models._onnx import FlatInput
from cemai_opt.models._ridge import RidgeModel

FILE = "landmarks.safetensors"
SCALE_ROWS = 10_000
"""Means and spreads are those of at most this many training rows, evenly spaced."""
CHUNK_VALUES = 1 << 20
"""Values of the kernel that are computed together when rows are predicted: 8 MB."""
JITTER = 1e-6
"""Added to the diagonal of the landmarks' kernel, which is 1: equal landmarks would make it singular."""


class Nystroem(RidgeModel):
    """Kernel ridge regression with an RBF kernel, by its values at some training rows, the landmarks.

    Williams and Seeger (2001), Advances in Neural Information Processing Systems 13. What scikit-learn's Nystroem and
    Ridge compute, with Cholesky's factorisation in place of singular values, and multiplied out: a prediction takes
    one kernel value per landmark. Variables are standardised, and `gamma` is divided by their number, so that its
    meaning does not depend on either.
    """

    cost_rank = 25
    partial_fit_is_exact = False  # its landmarks stay
    _known_root: FloatArray | None = None

    @classmethod
    def hyperparameters(cls, task: str) -> tuple[Hyperparameter, ...]:
        """Names are those of the library; `n_components` is the number of landmarks, `alpha` the ridge's penalty."""
        return (
            integer("n_components", 30, high=1000, default=300, log=True),
            real("gamma", 0.003, high=3.0, default=0.1, log=True),
            real("alpha", 1e-4, high=1e2, default=0.1, log=True),
        )

    def _fit(self, X: FloatArray, y: FloatArray, *, group: IntArray) -> None:
        some = super()._flat(X[:: -(-len(X) // SCALE_ROWS)])
        spread = some.std(axis=0)
        self._mean = some.mean(axis=0)
        self._factor = np.sqrt(float(self.params["gamma"]) / len(spread)) / np.where(spread > 0.0, spread, np.inf)
        n_landmarks = min(int(self.params["n_components"]), len(X))
        chosen = np.sort(np.random.default_rng(self.task.seed).choice(len(X), n_landmarks, replace=False))
        self._set_landmarks((super()._flat(X[chosen]) - self._mean) * self._factor)
        super()._fit(X, y, group=group)

    def _set_landmarks(self, landmarks: FloatArray) -> None:
        self._landmarks, self._known_root = landmarks, None

    @property
    def _root(self) -> FloatArray:
        """The Cholesky factor of the landmarks' kernel, which training needs, and predictions do not."""
        from scipy.linalg import cholesky

        if self._known_root is None:
            own = _kernel(self._landmarks, self._landmarks, products=self._landmarks @ self._landmarks.T)
            own[np.diag_indices(len(own))] += JITTER
            self._known_root = cholesky(own, lower=True)
        return self._known_root

    def _fit_estimator(self, X: FloatArray, y: FloatArray | IntArray, *, weight: FloatArray | None) -> None:
        super()._fit_estimator(X, y, weight=weight)
        self._multiply_out()

    def _solve(self, moments: Any) -> None:
        super()._solve(moments)
        self._multiply_out()

    def _multiply_out(self) -> None:
        """Makes coefficients of `_training_flat` those of `_flat`."""
        from scipy.linalg import solve_triangular

        found = self._fitted.coef_
        self._fitted.coef_ = solve_triangular(self._root, found.T, lower=True, trans=1).T

    def _training_flat(self, X: FloatArray) -> FloatArray:
        """Coordinates in which the kernel is a scalar product: (n, n_landmarks)."""
        from scipy.linalg import solve_triangular

        rows = self._scaled(X)
        kernel = _kernel(rows, self._landmarks, products=rows @ self._landmarks.T)
        whitened: FloatArray = solve_triangular(self._root, kernel.T, lower=True, overwrite_b=True).T
        return whitened

    def _flat(self, X: FloatArray) -> FloatArray:
        """The kernel between rows and landmarks: (n, n_landmarks)."""
        rows = self._scaled(X)
        return _kernel(rows, self._landmarks, products=np.einsum("ij,kj->ik", rows, self._landmarks))

    def _predict(self, X: FloatArray) -> Prediction:
        """Of some rows at a time: the kernel takes as much memory as hundreds of columns."""
        n_together = max(CHUNK_VALUES // len(self._landmarks), 1)
        of_part = super()._predict
        parts = [of_part(X[first : first + n_together]) for first in range(0, len(X), n_together)]
        by_class = [part.by_class for part in parts if part.by_class is not None]
        return Prediction(
            np.concatenate([part.value for part in parts]), np.concatenate(by_class) if by_class else None
        )

    def _scaled(self, X: FloatArray) -> FloatArray:
        scaled: FloatArray = (super()._flat(X) - self._mean) * self._factor
        return scaled

    def _flat_input(self, window: int, n_features: int) -> FlatInput:
        flat = super()._flat_input(window, n_features)

        def transform(graph: OnnxGraph) -> str:
            rows = graph.cast(flat.rows(graph), np.float64)
            rows = graph.add("Mul", graph.add("Sub", rows, graph.constant(self._mean)), graph.constant(self._factor))
            own = graph.add("ReduceSumSquare", rows, graph.constant([1], np.int64), keepdims=1)
            squares = graph.add("Add", own, graph.constant(_squares(self._landmarks)))
            products = graph.add("MatMul", rows, graph.constant(-2.0 * self._landmarks.T))
            distance = graph.add("Max", graph.add("Add", squares, products), graph.constant(0.0))
            return graph.add("Exp", graph.add("Neg", distance))

        return FlatInput(window=window, n_features=n_features, transform=transform, width=len(self._landmarks))

    def _write(self, folder: Path) -> dict[str, Any]:
        arrays = {"mean": self._mean, "factor": self._factor, "landmarks": self._landmarks}
        write_arrays(folder / FILE, arrays)
        return super()._write(folder)

    def _read(self, folder: Path, state: Mapping[str, Any]) -> None:
        from safetensors.numpy import load_file

        super()._read(folder, state)
        found = load_file(folder / FILE)
        self._mean, self._factor = found["mean"], found["factor"]
        self._set_landmarks(found["landmarks"])


def _kernel(rows: FloatArray, landmarks: FloatArray, *, products: FloatArray) -> FloatArray:
    """`exp(-distance^2)` from scalar products (n, n_landmarks), which are overwritten."""
    products *= -2.0
    products += _squares(rows)[:, None]
    products += _squares(landmarks)
    np.maximum(products, 0.0, out=products)
    np.negative(products, out=products)
    return np.exp(products, out=products)


def _squares(rows: FloatArray) -> FloatArray:
    """Squared lengths: (n,)."""
    found: FloatArray = np.einsum("ij,ij->i", rows, rows)
    return found
