"""The uncertainty of a score, by a bootstrap over the groups of the test rows.

Each resample is scored from sums over groups, so a thousand resamples cost as much as a few scores; scipy and
scikit-learn would score every row of every resample.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, last_rows
from cemai_opt.core.scores import ERRORS

RESAMPLES = 1000
COVERAGE = 0.95
FEW_UNITS = 8
"""With fewer groups than this, an interval is probably too narrow and has a caveat."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """The middle 95 % of the scores of `RESAMPLES` draws of `n_units` groups (or rows, if there are no groups)."""

    low: float
    high: float
    n_units: int
    unit: str
    caveat: str = ""
    """Why it may be too narrow; empty if it is not."""


def _caveat(unit: str, n_units: int) -> str:
    if unit == "rows":
        return "probably too narrow, because single rows were resampled, and neighbouring rows are alike"
    return f"probably too narrow, because there are only {n_units} groups" if n_units < FEW_UNITS else ""


def score_interval(
    y: FloatArray, value: FloatArray, *, score: str, group: IntArray, has_groups: bool, seed: int = 0
) -> Interval | None:
    """Percentile interval of a score; `y`, `value` (n_rows,) are targets and predictions, `group` (n_rows,).

    The cluster bootstrap: all rows of a group are drawn together (Davison and Hinkley (1997), Bootstrap Methods and
    their Application, 3.8). None for scores that need more than the predictions.
    """
    unit = np.unique(group, return_inverse=True)[1] if has_groups else np.arange(len(y))
    n_units = int(unit.max()) + 1
    score_of = SCORES.get(score)
    if score_of is None or n_units < 2:
        return None
    parts_of = _r2_parts if score == "r2" else _skill_parts(score) if score in ERRORS else _counts
    parts = parts_of(y, value, unit=unit, n_units=n_units)
    rng = np.random.default_rng(seed)
    drawn = (rng.multinomial(n_units, np.full(n_units, 1 / n_units)) for _ in range(RESAMPLES))
    scores = np.array([score_of(np.tensordot(weights, parts, axes=1)) for weights in drawn])
    if not np.isfinite(scores).any():  # such as R2 of a constant target
        return None
    low, high = np.quantile(scores[np.isfinite(scores)], [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    kind = "groups" if has_groups else "rows"
    return Interval(low=float(low), high=float(high), n_units=n_units, unit=kind, caveat=_caveat(kind, n_units))


def _r2_parts(y: FloatArray, value: FloatArray, *, unit: IntArray, n_units: int) -> FloatArray:
    """Sums over each unit for R2: (n_units, 4). Centered, because differences of large squares lose precision."""
    y, value = y - y.mean(), value - y.mean()
    columns = (np.ones_like(y), y, y**2, (y - value) ** 2)
    return np.column_stack([np.bincount(unit, column, n_units) for column in columns])


def _r2(sums: FloatArray) -> float:
    n, total, squares, errors = sums
    spread = squares - total**2 / n
    return float(1.0 - errors / spread) if spread > 0 else np.nan


def _skill_parts(score: str) -> Callable[..., FloatArray]:
    """Sums over each unit of an error and of that of predicting the mean of all rows: (n_units, 2)."""

    def parts(y: FloatArray, value: FloatArray, *, unit: IntArray, n_units: int) -> FloatArray:
        errors = [np.abs(made - y) for made in (value, np.full_like(y, y.mean()))]
        if score.startswith("rmse"):
            errors = [error**2 for error in errors]
        elif score.startswith("mape"):
            errors = [error / np.maximum(np.abs(y), np.finfo(float).eps) for error in errors]
        counted = last_rows(unit) if score.startswith("rmse_last") else np.ones(len(y), bool)
        return np.column_stack([np.bincount(unit[counted], error[counted], n_units) for error in errors])

    return parts


def _mean_skill(sums: FloatArray) -> float:
    return float(1.0 - sums[0] / sums[1]) if sums[1] > 0 else np.nan


def _root_skill(sums: FloatArray) -> float:
    return float(1.0 - np.sqrt(sums[0] / sums[1])) if sums[1] > 0 else np.nan


def _counts(y: FloatArray, value: FloatArray, *, unit: IntArray, n_units: int) -> FloatArray:
    """Rows by unit, class and predicted class: (n_units, n_classes, n_classes)."""
    n_classes = int(max(y.max(), value.max())) + 1
    counts = np.zeros((n_units, n_classes, n_classes))
    np.add.at(counts, (unit, y.astype(int), value.astype(int)), 1.0)
    return counts


def _f1_by_class(counts: FloatArray) -> FloatArray:
    hits = np.diag(counts)
    of = counts.sum(axis=0) + counts.sum(axis=1)
    scores: FloatArray = np.divide(2 * hits, of, out=np.zeros_like(hits), where=of > 0)
    return scores


def _f1(counts: FloatArray) -> float:
    return float(_f1_by_class(counts)[1])


def _f1_macro(counts: FloatArray) -> float:
    occurs = counts.sum(axis=0) + counts.sum(axis=1) > 0
    return float(_f1_by_class(counts)[occurs].mean())


def _balanced_accuracy(counts: FloatArray) -> float:
    n = counts.sum(axis=1)
    return float((np.diag(counts)[n > 0] / n[n > 0]).mean())


SCORES: Mapping[str, Callable[[FloatArray], float]] = {
    "r2": _r2,
    "rmse": _root_skill,
    "rmse_last": _root_skill,
    "mae": _mean_skill,
    "mape": _mean_skill,
    "f1": _f1,
    "f1_macro": _f1_macro,
    "balanced_accuracy": _balanced_accuracy,
}
"""Scores that follow from sums over groups."""
