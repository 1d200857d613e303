"""A forest on quantiles of the window's intervals: a time-series model without convolutions or gradients."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from cemai_opt.core.batch import FloatArray
from cemai_opt.core.hyperparameters import Hyperparameter, Value, integer
from cemai_opt.core.onnx_graph import OnnxGraph
from cemai_opt.models._forest import ForestModel, tree_hyperparameters
from cemai_opt.models._onnx import INPUT, FlatInput

Intervals = list[tuple[int, int, tuple[int, ...]]]
"""Start, end and the ranks of the quantiles of each interval."""


class Quant(ForestModel):
    """Extremely randomised trees (scikit-learn) on quantiles of dyadic intervals of the window and its differences.

    After QUANT (Dempster, Schmidt and Webb (2024), arXiv 2308.00928), with order statistics instead of interpolated
    quantiles, and without its Fourier transform and second differences.
    """

    cost_rank = 38
    has_tree_shap = False  # its trees split by quantiles, which mix the rows of a window
    explained_with: ClassVar[tuple[str, ...]] = ()
    design: ClassVar = {"sequentialize.window_rows": 32, "combine.fraction": 0.5}

    @classmethod
    def hyperparameters(cls, task: str) -> tuple[Hyperparameter, ...]:
        """`depth`: intervals are 1, 2, 4, ... equal parts of the window. One of `rows_per_quantile` values is kept."""
        return (
            *tree_hyperparameters(task),
            integer("depth", 1, high=5, default=3),
            integer("rows_per_quantile", 2, high=16, default=4, log=True, unit="rows"),
        )

    @classmethod
    def _kinds(cls) -> tuple[Any, Any]:
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

        return ExtraTreesRegressor, ExtraTreesClassifier

    @property
    def library_params(self) -> dict[str, Value]:
        """Those of the trees."""
        return {name: v for name, v in super().library_params.items() if name not in ("depth", "rows_per_quantile")}

    def _flat(self, X: FloatArray) -> FloatArray:
        """Order statistics of all intervals of the values and of their differences: (n, n_flat)."""
        parts = [self._quantiles(X)]
        if X.shape[1] > 1:
            parts.append(self._quantiles(np.diff(X, axis=1)))
        return np.hstack(parts)

    def _quantiles(self, X: FloatArray) -> FloatArray:
        made = [np.sort(X[:, start:end], axis=1)[:, ranks] for start, end, ranks in self._intervals(X.shape[1])]
        return np.concatenate(made, axis=1).reshape(len(X), -1)

    def _intervals(self, n_rows: int) -> Intervals:
        """Equal parts of a window of `n_rows`, as long as they have two rows."""
        found: Intervals = []
        for level in range(int(self.params["depth"])):
            if level and n_rows < 2 ** (level + 1):
                break
            edges = np.linspace(0, n_rows, 2**level + 1).round().astype(int).tolist()
            for start, end in pairwise(edges):
                n_kept = 1 + (end - start - 1) // int(self.params["rows_per_quantile"])
                ranks = np.linspace(0, end - start - 1, n_kept + 2)[1:-1].round().astype(int)
                found.append((start, end, tuple(ranks.tolist())))
        return found

    def _flat_input(self, window: int, n_features: int) -> FlatInput:
        lengths = (window, window - 1) if window > 1 else (window,)
        width = n_features * sum(len(ranks) for n in lengths for _, _, ranks in self._intervals(n))

        def transform(graph: OnnxGraph) -> str:
            parts = self._ranked(graph, INPUT, n_rows=window)
            if window > 1:
                later, earlier = (_rows(graph, INPUT, start=s, end=s + window - 1) for s in (1, 0))
                parts += self._ranked(graph, graph.add("Sub", later, earlier), n_rows=window - 1)
            joined = graph.add("Concat", *parts, axis=1) if len(parts) > 1 else parts[0]
            return graph.add("Reshape", joined, graph.constant([-1, width], np.int64))

        return FlatInput(window=window, n_features=n_features, transform=transform, width=width)

    def _ranked(self, graph: OnnxGraph, values: str, *, n_rows: int) -> list[str]:
        """The same as `_quantiles` for ONNX: (n, n_ranks, n_features) for each interval."""
        made = []
        for start, end, ranks in self._intervals(n_rows):
            rows = _rows(graph, values, start=start, end=end)
            ascending = graph.add_first("TopK", rows, graph.constant([end - start], np.int64), axis=1, largest=0)
            made.append(graph.add("Gather", ascending, graph.constant(ranks, np.int64), axis=1))
        return made


def _rows(graph: OnnxGraph, values: str, *, start: int, end: int) -> str:
    """Rows `start` to `end - 1` of every window."""
    bounds = [graph.constant([number], np.int64) for number in (start, end, 1)]
    return graph.add("Slice", values, *bounds)
