"""Creates the window of the last rows for every row, without copying, and thins out the training windows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cemai_opt.core.batch import Batch, FittedState, FloatArray, IntArray, Windows, group_starts
from cemai_opt.core.hyperparameters import Hyperparameter, integer
from cemai_opt.core.onnx_graph import OnnxGraph
from cemai_opt.stages._onnx import past_numbers, taken
from cemai_opt.stages._stage import Lookback, Params, Stage


class Sequentialize(Stage):
    """Windows of the last rows, padded at the start of a group, so that no row is lost."""

    order = 60
    is_optional = False

    @classmethod
    def hyperparameters(cls) -> tuple[Hyperparameter, ...]:
        """`stride`: train on every n-th window only; every row is still predicted."""
        return (
            integer("window_rows", 1, high=64, default=1, log=True, unit="rows"),
            integer("stride", 1, high=32, default=1, log=True, unit="rows"),
        )

    @classmethod
    def volume(cls, params: Params) -> float:
        """Rows of a window, for every n-th row."""
        return float(params.get("window_rows", 1)) / float(params.get("stride", 1))

    @classmethod
    def columns(cls, params: Params) -> float:
        """Rows of a window, side by side."""
        return float(params.get("window_rows", 1))

    @classmethod
    def lookback(cls, params: Params) -> Lookback:
        """The rows of the window except the last."""
        return Lookback(rows=int(params["window_rows"]) - 1)

    @classmethod
    def onnx(cls, graph: OnnxGraph, rows: str, *, params: Params, state: FittedState | None) -> str:
        """Windows (t, window, n), padded with the first row."""
        return taken(graph, rows, numbers=past_numbers(graph, rows, window=int(params["window_rows"])))

    def _run(self, batch: Batch, params: Params) -> Batch:
        if batch.code_names:
            names = (*batch.names, *batch.code_names)
            batch = batch.with_columns(np.hstack([batch.X, batch.codes.astype(batch.X.dtype)]), names)
        starts = group_starts(batch.group)
        stride = int(params["stride"])
        start_in_training = group_starts(batch.group[batch.train_rows])
        row_in_group = np.arange(len(batch.train_rows)) - start_in_training
        return replace(
            batch,
            windows=windows_of(batch.X, starts, window=int(params["window_rows"])),
            train_rows=batch.train_rows[row_in_group % stride == 0] if stride > 1 else batch.train_rows,
        )


def windows_of(X: FloatArray, starts: IntArray, *, window: int) -> Windows:
    """The last `window` rows up to each row of `X` (n_rows, n_features), padded with the first row of the group.

    >>> X = np.array([[1.0], [2.0], [9.0]])
    >>> windows_of(X, np.array([0, 0, 2]), window=2).take(np.arange(3))[:, :, 0].tolist()
    [[1.0, 1.0], [1.0, 2.0], [9.0, 9.0]]
    """
    rows = np.arange(len(X))
    if window == 1:
        return Windows(X[:, :, None], rows)
    group_number = np.cumsum(starts == rows) - 1
    padding = window - 1
    padded_place = rows + padding * (group_number + 1)
    source = np.repeat(starts[starts == rows], padding)
    layout = np.empty(len(X) + len(source), np.intp)
    is_padding = np.ones(len(layout), bool)
    is_padding[padded_place] = False
    layout[padded_place], layout[is_padding] = rows, source
    view = np.lib.stride_tricks.sliding_window_view(X[layout], window, axis=0)
    return Windows(view, padded_place - padding)
