"""The errors of a model on labelled rows, unit by unit, from which follow their level and its uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray

BLOCKS = 8
"""Blocks of time that stand for units where rows have no groups."""
LOSSES = {"mae": "absolute", "mape": "relative"}
"""By score; of other numbers it is the squared error, of classes the share of wrong ones."""


@dataclass(frozen=True, kw_only=True)
class UnitErrors:
    """The sum of the loss and the number of rows of each unit: a group, or a block of time if there are no groups."""

    loss: str
    sums: tuple[float, ...] = ()
    rows: tuple[int, ...] = ()

    @staticmethod
    def of(y: FloatArray, value: FloatArray, *, score: str, is_classification: bool, unit: IntArray) -> UnitErrors:
        """Those of predictions `value` (n_rows,) of targets `y` (n_rows,), which are all known."""
        loss = "wrong" if is_classification else LOSSES.get(score, "squared")
        error = np.abs(y - value)
        by_loss = {"wrong": error != 0.0, "squared": error**2, "absolute": error}
        each = by_loss[loss] if loss in by_loss else error / np.maximum(np.abs(y), np.finfo(float).eps)
        codes = np.unique(unit, return_inverse=True)[1]
        return UnitErrors(
            loss=loss,
            sums=tuple(np.bincount(codes, each.astype(np.float64)).tolist()),
            rows=tuple(np.bincount(codes).tolist()),
        )

    def __add__(self, other: UnitErrors) -> UnitErrors:
        """All units of both."""
        return UnitErrors(loss=self.loss, sums=self.sums + other.sums, rows=self.rows + other.rows)

    @property
    def n_rows(self) -> int:
        """Rows of all units."""
        return sum(self.rows)

    @property
    def mean(self) -> float:
        """Mean loss of a row."""
        return math.fsum(self.sums) / self.n_rows

    @property
    def standard_error(self) -> float:
        """Of the mean, whole units being drawn; infinite for a single one.

        The ratio estimator of cluster sampling (Cochran (1977), Sampling Techniques, 9A).
        """
        n = len(self.sums)
        if n < 2:
            return math.inf
        apart = np.array(self.sums) - self.mean * np.array(self.rows)
        return float(np.sqrt(np.sum(apart**2) * n / (n - 1))) / self.n_rows


def units_of(group: IntArray, *, has_groups: bool) -> IntArray:
    """The unit of each row, (n_rows,): its group, or one of `BLOCKS` blocks of rows in time order."""
    return group if has_groups else np.arange(len(group)) * BLOCKS // max(len(group), 1)
