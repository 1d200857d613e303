"""Drops variables that say nothing, fills gaps from the past."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cemai_opt.core.batch import Batch, BoolArray, FloatArray, IntArray, group_starts
from cemai_opt.core.errors import TrialError
from cemai_opt.core.genes import Gene, choice, real
from cemai_opt.stages._stage import Params, Stage


class Clean(Stage):
    """Drops constant, zero-heavy and doubly told variables; fills missing values from the past of the group."""

    order = 20
    is_optional = False

    @classmethod
    def genes(cls) -> tuple[Gene, ...]:
        """Thresholds of 1 drop only what is constant."""
        return (
            choice("missing", ("forward", "median"), "forward", searched=False),
            real("zeros_threshold", 0.5, 1.0, 1.0, searched=False),
            real("correlation_threshold", 0.5, 1.0, 1.0, searched=False),
        )

    def _run(self, batch: Batch, params: Params) -> Batch:
        X = batch.X
        if params["missing"] == "forward":
            X = forward_filled(X, batch.group)
        X = _median_filled(X, batch.learn)
        keep = _telling(X[batch.learn], float(params["zeros_threshold"]), float(params["correlation_threshold"]))
        if not keep.any():
            raise TrialError("no variable is left after cleaning", "loosen the thresholds of stage clean")
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


def _median_filled(X: FloatArray, learn: BoolArray) -> FloatArray:
    gaps = np.isnan(X)
    if not gaps.any():
        return X
    X = X.copy()
    for column in np.flatnonzero(gaps.any(axis=0)):
        seen = X[learn & ~gaps[:, column], column]
        X[gaps[:, column], column] = np.median(seen) if len(seen) else 0.0
    return X


def _telling(X: FloatArray, zeros_threshold: float, correlation_threshold: float) -> BoolArray:
    """Columns to keep, judged by training rows: (n_columns,)."""
    keep: BoolArray = X.min(axis=0) < X.max(axis=0)
    if zeros_threshold < 1.0:
        keep &= (X == 0.0).mean(axis=0) <= zeros_threshold
    if correlation_threshold < 1.0:
        kept = np.flatnonzero(keep)
        alike = np.triu(np.abs(np.atleast_2d(np.corrcoef(X[:, kept], rowvar=False))) > correlation_threshold, k=1)
        for i in range(len(kept)):  # of two alike the later goes, unless the earlier one has gone already
            if keep[kept[i]]:
                keep[kept[alike[i]]] = False
    return keep
