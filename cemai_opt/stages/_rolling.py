"""Statistics of the last rows of a group, with results that do not depend on where a part of the group begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray

RESTART_ROWS = 16384
"""Values that are updated from row to row restart after this many rows from the start of a group. Their rounding errors
depend on the first row: with restarts, a part of a group has bitwise the same results."""

Columns = list[tuple[str, FloatArray]]
"""New columns: what was computed, and (n_rows, n_columns) values."""


def pieces(starts: IntArray, place: IntArray, *, reach: int) -> Iterator[tuple[int, int, int]]:
    """Parts of groups between two restarts: (back, begin, end), where rows `back` to `begin - 1` are only history.

    `starts`: (n_rows,) first row of each row's group; `place`: (n_rows,) position in it; `reach`: rows of history.
    """
    rows = np.arange(len(starts))
    restarts = np.flatnonzero((place % RESTART_ROWS == 0) | (starts == rows)).tolist()
    for begin, end in zip(restarts, [*restarts[1:], len(rows)], strict=True):
        yield max(int(starts[begin]), begin - reach), begin, end


def rolling(X: FloatArray, starts: IntArray, *, place: IntArray, window: int, statistics: tuple[str, ...]) -> Columns:
    """Statistics of the last `window` rows up to and including each row; fewer at the start of a group."""
    rows = np.arange(len(X))
    first = np.maximum(starts, rows - window + 1)
    parts = list(pieces(starts, place, reach=window - 1))
    if all(starts[begin] == begin for _, begin, _ in parts):
        return _rolled(X, first, window=window, statistics=statistics)
    made = []
    for back, begin, end in parts:
        bounds = np.maximum(first[back:end] - back, 0)
        piece = _rolled(
            X[back:end],
            np.where(rows[back:end] < begin, 0, bounds),
            window=window,
            statistics=statistics,
            skip=begin - back,
        )
        made.append(dict(piece))
    return [(name, np.vstack([piece[name] for piece in made])) for name in made[0]]


def _rolled(X: FloatArray, first: IntArray, *, window: int, statistics: tuple[str, ...], skip: int = 0) -> Columns:
    """Statistics of rows `first[i]` to i, for all rows but the first `skip`."""
    ends = np.where(np.arange(len(X)) < skip, 0, np.arange(len(X)) + 1)
    rolled = _bounded(X, first, end=ends)

    def roll(statistic: Callable[[Any], Any]) -> FloatArray:
        return rolled(statistic)[skip:]

    done: dict[str, FloatArray] = {}
    if "range" in statistics:
        done["min"], done["max"] = roll(lambda r: r.min()), roll(lambda r: r.max())
        done["range"] = done["max"] - done["min"]
    for name in statistics:
        if name in ("std", "var"):
            done[name] = roll(lambda r, name=name: getattr(r, name)(ddof=0))  # type: ignore[misc]  # default argument
        elif name not in done:
            done[name] = roll(lambda r, name=name: getattr(r, name)())  # type: ignore[misc]  # as above
    return [(f"{name}_{window}", done[name]) for name in statistics]


def _bounded(X: FloatArray, first: IntArray, *, end: IntArray) -> Callable[[Callable[[Any], Any]], FloatArray]:
    """pandas' rolling over rows `first[i]` to `end[i] - 1` for row i, which never reaches into another group."""
    import pandas as pd
    from pandas.api.indexers import BaseIndexer

    class _Bounds(BaseIndexer):
        def get_window_bounds(  # pandas compares this signature with its own
            self,
            num_values: int = 0,
            min_periods: int | None = None,
            center: bool | None = None,
            closed: str | None = None,
            step: int | None = None,
        ) -> Any:
            return first.astype(np.int64), end.astype(np.int64)

    rolling = pd.DataFrame(X).rolling(_Bounds(), min_periods=1)
    return lambda statistic: np.asarray(statistic(rolling), np.float64)


def start_mean(X: FloatArray, starts: IntArray, *, n_rows: int) -> FloatArray:
    """Mean of the first `n_rows` rows of the group, or of those up to each row."""
    rows = np.arange(len(X))
    return _bounded(X, starts, end=np.minimum(rows, starts + n_rows - 1) + 1)(lambda r: r.mean())


def exponential_mean(X: FloatArray, starts: IntArray, *, place: IntArray, rows: int) -> FloatArray:
    """Exponentially weighted mean of all rows of the group up to each row, in one pass.

    The weight of a row halves about every third of `rows` rows: alpha is 2 / (rows + 1), as in pandas' `span`.
    """
    from scipy.signal import lfilter

    alpha, made = smoothing(rows), np.empty_like(X)
    for back, begin, end in pieces(starts, place, reach=memory_rows(rows)):
        initial = (1.0 - alpha) * X[back][None, :]
        smoothed, _ = lfilter([alpha], [1.0, alpha - 1.0], X[back:end], axis=0, zi=initial)
        made[begin:end] = smoothed[begin - back :]
    return made


def smoothing(rows: int) -> float:
    """The weight of the current row in an exponentially weighted mean over about `rows` rows."""
    return 2.0 / (rows + 1.0)


def memory_rows(rows: int) -> int:
    """Rows after which an exponentially weighted mean has forgotten all but 2e-9 of a value."""
    return 10 * rows
