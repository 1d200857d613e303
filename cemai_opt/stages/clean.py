"""Drops uninformative variables, and fills missing values from earlier rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cemai_opt.core.batch import Batch, BoolArray, FittedState, FloatArray, IntArray, group_starts
from cemai_opt.core.errors import TrialError
from cemai_opt.core.hyperparameters import Hyperparameter, choice, real
from cemai_opt.core.onnx_graph import OnnxGraph
from cemai_opt.stages._stage import Lookback, Params, Stage

CLEAN = "clean"


class Clean(Stage):
    """Drops constant, mostly zero and redundant variables; fills missing values from earlier rows of the group."""

    order = 20
    is_optional = False

    @classmethod
    def hyperparameters(cls) -> tuple[Hyperparameter, ...]:
        """With thresholds of 1, only constant variables are dropped."""
        return (
            choice("missing", ("forward", "median"), default="forward", searched=False),
            real("zeros_threshold", 0.5, high=1.0, default=1.0, searched=False),
            real("correlation_threshold", 0.5, high=1.0, default=1.0, searched=False),
        )

    @classmethod
    def lookback(cls, params: Params) -> Lookback:
        """Forward filling needs the last known value."""
        return Lookback(last_known=params["missing"] == "forward")

    @classmethod
    def onnx(cls, graph: OnnxGraph, rows: str, *, params: Params, state: FittedState | None) -> str:
        """Forward filling row by row, then constants for the remaining gaps, then selection of columns."""
        assert state is not None, "cleaning has been fitted to the training rows"
        if params["missing"] == "forward":
            rows = _forward_filled_onnx(graph, rows, n_columns=len(state["keep"]))
        filled = graph.add("Where", graph.add("IsNaN", rows), graph.constant(state["fill"], np.float64), rows)
        return graph.add("Gather", filled, graph.constant(np.flatnonzero(state["keep"]), np.int64), axis=1)

    def _run(self, batch: Batch, params: Params) -> Batch:
        X = batch.X
        if params["missing"] == "forward":
            X = forward_filled(X, batch.group)
        if CLEAN in batch.fitted_states:
            keep, fill = batch.fitted_states[CLEAN]["keep"], batch.fitted_states[CLEAN]["fill"]
            names = tuple(name for name, kept in zip(batch.names, keep, strict=True) if kept)
            return batch.with_columns(_filled(X[:, keep], fill[keep]), names)
        fill = _fill(X, batch)
        X = _filled(X, fill)
        keep = _telling(
            X[batch.is_train],
            float(params["zeros_threshold"]),
            correlation_threshold=float(params["correlation_threshold"]),
        )
        if not keep.any():
            raise TrialError("no variable is left after cleaning", "loosen the thresholds of stage clean")
        batch = batch.with_fitted_state(CLEAN, {"keep": keep, "fill": fill})
        dropped = [name for name, kept in zip(batch.names, keep, strict=True) if not kept]
        notes = (f"dropped by clean: {', '.join(dropped)}",) if dropped else ()
        names = tuple(name for name, kept in zip(batch.names, keep, strict=True) if kept)
        return replace(batch.with_columns(X[:, keep], names), notes=(*batch.notes, *notes))


def forward_filled(X: FloatArray, group: IntArray) -> FloatArray:
    """`X` with each gap filled by the last value before it in the same group; a gap at the start stays NaN.

    >>> forward_filled(np.array([[1.0], [np.nan], [np.nan]]), np.array([0, 0, 1])).ravel().tolist()
    [1.0, 1.0, nan]
    """
    gaps = np.isnan(X)
    if not gaps.any():
        return X
    X, starts = X.copy(), group_starts(group)
    rows = np.arange(len(X))
    for column in np.flatnonzero(gaps.any(axis=0)):
        last_seen = np.maximum.accumulate(np.where(gaps[:, column], starts, rows))
        X[:, column] = X[last_seen, column]
    return X


def _forward_filled_onnx(graph: OnnxGraph, rows: str, *, n_columns: int) -> str:
    """`forward_filled` for rows of one group: a loop whose state is the last known values."""
    from onnx import TensorProto, helper

    ports = {
        name: helper.make_tensor_value_info(name, TensorProto.DOUBLE, [n_columns])
        for name in ("known", "row", "known_now", "filled")
    }
    body = helper.make_graph(
        [
            helper.make_node("IsNaN", ["row"], ["is_gap"]),
            helper.make_node("Where", ["is_gap", "known", "row"], ["known_now"]),
            helper.make_node("Identity", ["known_now"], ["filled"]),
        ],
        "forward_fill",
        [ports["known"], ports["row"]],
        [ports["known_now"], ports["filled"]],
    )
    nothing = graph.constant(np.full(n_columns, np.nan))
    return graph.add_loop(nothing, rows, body=body)


def _fill(X: FloatArray, batch: Batch) -> FloatArray:
    """Values for gaps that have no earlier value, from training rows: (n_columns,).

    The median for columns with such gaps, 0 for columns without any value. For columns without gaps the mean, which the
    profile has already computed: medians of all columns would cost every trial more than the rest of this stage.
    """
    fill = batch.profile.mean.copy() if batch.profile is not None else np.zeros(X.shape[1])
    gaps = np.isnan(X)
    for column in np.flatnonzero(gaps.any(axis=0)):
        seen = X[batch.is_train & ~gaps[:, column], column]
        fill[column] = np.median(seen) if len(seen) else 0.0
    return fill


def _filled(X: FloatArray, fill: FloatArray) -> FloatArray:
    """`X` with its gaps filled by one value per column."""
    gaps = np.isnan(X)
    return np.where(gaps, fill, X) if gaps.any() else X


def _telling(X: FloatArray, zeros_threshold: float, *, correlation_threshold: float) -> BoolArray:
    """Columns to keep, according to training rows: (n_columns,)."""
    keep: BoolArray = X.min(axis=0) < X.max(axis=0)
    if zeros_threshold < 1.0:
        keep &= (X == 0.0).mean(axis=0) <= zeros_threshold
    if correlation_threshold < 1.0:
        kept = np.flatnonzero(keep)
        alike = np.triu(np.abs(np.atleast_2d(np.corrcoef(X[:, kept], rowvar=False))) > correlation_threshold, k=1)
        for i in range(len(kept)):  # drops the later one of two, unless the earlier one is already dropped
            if keep[kept[i]]:
                keep[kept[alike[i]]] = False
    return keep
