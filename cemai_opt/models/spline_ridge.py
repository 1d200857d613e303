"""A linear model on piecewise linear splines of each variable: nonlinear effects for little more than ridge costs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.core.hyperparameters import Hyperparameter, Value, integer, real
from cemai_opt.core.onnx_graph import OnnxGraph
from cemai_opt.models._model import class_weight
from cemai_opt.models._onnx import FlatInput
from cemai_opt.models._ridge import RidgeModel

KNOT_ROWS = 2000
"""Quantiles are taken from at most this many training rows, evenly spaced: enough for a dozen knots."""


class SplineRidge(RidgeModel):
    """Ridge (scikit-learn) on linear splines of every variable, with knots at quantiles of the training rows.

    Each column of the basis rises from 0 to 1 between two knots, so that a coefficient is the change of the output
    there, and the penalty shrinks changes (Eilers and Marx (1996), Statistical Science 11(2)). Outside the knots a
    spline is constant. scikit-learn's SplineTransformer spans the same functions with ten times the CPU time.
    """

    cost_rank = 15
    is_additive = True

    @classmethod
    def hyperparameters(cls, task: str) -> tuple[Hyperparameter, ...]:
        """The number of knots of each variable, and the strength of the penalty."""
        return (
            integer("n_knots", 3, high=16, default=5, log=True),
            real("alpha", 1e-3, high=1e4, default=1.0, log=True),
            *class_weight(task),
        )

    @classmethod
    def effort(cls, params: Mapping[str, Value], n_columns: float) -> float:
        """As many columns of the basis for each variable as there are segments between its knots."""
        n_segments = int(params["n_knots"]) - 1
        return n_segments * super().effort(params, n_segments * n_columns)

    def _fit(self, X: FloatArray, y: FloatArray, *, group: IntArray) -> None:
        flat = super()._flat(X[:: -(-len(X) // KNOT_ROWS)])
        self._knots = np.quantile(flat, np.linspace(0.0, 1.0, int(self.params["n_knots"])), axis=0).T
        super()._fit(X, y, group=group)

    def _flat(self, X: FloatArray) -> FloatArray:
        """The basis: (n, n_segments), up to n_knots - 1 for each variable of each row of the window."""
        variable, low, width = self._segments()
        basis = np.take(super()._flat(X), variable, axis=1)
        basis -= low
        basis /= width
        return np.clip(basis, 0.0, 1.0, out=basis)

    def _segments(self) -> tuple[IntArray, FloatArray, FloatArray]:
        """Variable, lower knot and width of all segments that have a width: (n_segments,) each."""
        width = np.diff(self._knots, axis=1)
        variable, segment = np.nonzero(width > 0.0)
        return variable, self._knots[variable, segment], width[variable, segment]

    def _flat_input(self, window: int, n_features: int) -> FlatInput:
        variable, low, width = self._segments()
        flat = super()._flat_input(window, n_features)

        def transform(graph: OnnxGraph) -> str:
            rows = graph.cast(flat.rows(graph), np.float64)
            rows = graph.add("Gather", rows, graph.constant(variable, np.int64), axis=1)
            rows = graph.add("Div", graph.add("Sub", rows, graph.constant(low)), graph.constant(width))
            return graph.add("Clip", rows, graph.constant(0.0), graph.constant(1.0))

        return FlatInput(window=window, n_features=n_features, transform=transform, width=len(low))

    def _write(self, folder: Path) -> dict[str, Any]:
        return {**super()._write(folder), "knots": self._knots.tolist()}

    def _read(self, folder: Path, state: Mapping[str, Any]) -> None:
        super()._read(folder, state)
        self._knots = np.asarray(state["knots"], np.float64)
