"""Adds features of the recent past of each variable: causal, and inside a group."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from cemai_opt.core.batch import Batch, FloatArray, IntArray, Job, group_starts
from cemai_opt.core.genes import Gene, choice, flag, integer
from cemai_opt.stages._stage import Params, Stage

if TYPE_CHECKING:
    pass

ROLLING: dict[str, tuple[str, ...]] = {
    "none": (),
    "mean": ("mean",),
    "mean_std": ("mean", "std"),
    "mean_std_range": ("mean", "std", "range"),
    "all": ("sum", "mean", "min", "max", "range", "std", "var"),
}
"""Sets of rolling statistics; a set is one gene, because a bit a statistic would be dear half of the time."""
SECOND_WINDOW = {"none": 0, "4x": 4, "8x": 8}
TREND: dict[str, tuple[str, ...]] = {
    "none": (),
    "gradient": ("gradient",),
    "slope": ("slope",),
    "slope_sin_cos": ("slope", "slope_sin", "slope_cos"),
}
START_ROWS = 30
"""Rows at the start of a group whose mean is the reference of `since_start`."""
CHUNK_VALUES = 2**24
"""Values of a window matrix held at once: 128 MB."""

Columns = list[tuple[str, FloatArray]]


class Featurize(Stage):
    """Rolling statistics, trends and the change since the start of the group."""

    order = 30
    is_optional = False

    @classmethod
    def genes(cls) -> tuple[Gene, ...]:
        """Nothing is added by default."""
        rolled = ("rolling", tuple(name for name in ROLLING if name != "none"))
        return (
            choice("rolling", tuple(ROLLING), "none"),
            integer("window_rows", 3, 300, 30, log=True, unit="rows", when=rolled),
            choice("second_window", tuple(SECOND_WINDOW), "none", when=rolled),
            flag("keep_raw", True, when=rolled),
            choice("trend", tuple(TREND), "none"),
            flag("since_start", False),
            flag("peak_frequency", False, searched=False),
        )

    @classmethod
    def volume(cls, params: Params) -> float:
        """Columns that are made of one."""
        n_rolled = len(ROLLING[str(params.get("rolling", "none"))])
        n_rolled *= 2 if SECOND_WINDOW[str(params.get("second_window", "none"))] else 1
        n_others = len(TREND[str(params.get("trend", "none"))])
        n_others += sum(bool(params.get(name)) for name in ("since_start", "peak_frequency"))
        return float(n_rolled + n_others + (1 if params.get("keep_raw", True) or not n_rolled else 0))

    def prepare(self, params: Params, job: Job) -> None:
        """pandas does the rolling."""
        import pandas  # noqa: F401  # imported before the clock starts

    def _run(self, batch: Batch, params: Params) -> Batch:
        starts = group_starts(batch.group)
        statistics, window = ROLLING[str(params["rolling"])], int(params["window_rows"])
        added: Columns = []
        if statistics:
            added += _rolling(batch.X, starts, window, statistics)
            factor = SECOND_WINDOW[str(params["second_window"])]
            added += _rolling(batch.X, starts, window * factor, statistics) if factor else []
        added += _trend(batch.X, starts, TREND[str(params["trend"])])
        if params["since_start"]:
            added.append(("since_start", batch.X - _start_mean(batch.X, starts)))
        if params["peak_frequency"]:
            added.append((f"peak_frequency_{window}", _peak_frequency(batch.X, starts, window)))
        blocks = added if statistics and not params["keep_raw"] else [("", batch.X), *added]
        if len(blocks) == 1 and not blocks[0][0]:
            return batch
        names = tuple(f"{name}_{suffix}" if suffix else name for suffix, _ in blocks for name in batch.names)
        return batch.with_columns(np.hstack([block for _, block in blocks]), names)


def _rolling(X: FloatArray, starts: IntArray, window: int, statistics: tuple[str, ...]) -> Columns:
    """Statistics of the last `window` rows up to and with each row; fewer at the start of a group."""
    rows = np.arange(len(X))
    roll = _bounded(X, np.maximum(starts, rows - window + 1), rows + 1)
    done: dict[str, FloatArray] = {}
    if "range" in statistics:
        done["min"], done["max"] = roll(lambda r: r.min()), roll(lambda r: r.max())
        done["range"] = done["max"] - done["min"]
    for name in statistics:
        if name in ("std", "var"):
            done[name] = roll(lambda r, name=name: getattr(r, name)(ddof=0))  # type: ignore[misc]  # default argument
        elif name not in done:
            done[name] = roll(lambda r, name=name: getattr(r, name)())  # type: ignore[misc]  # the same
    return [(f"{name}_{window}", done[name]) for name in statistics]


def _bounded(X: FloatArray, first: IntArray, end: IntArray) -> Callable[[Callable[[Any], Any]], FloatArray]:
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


def _start_mean(X: FloatArray, starts: IntArray) -> FloatArray:
    """Mean of the first rows of the group, as far as they are known at each row."""
    rows = np.arange(len(X))
    return _bounded(X, starts, np.minimum(rows, starts + START_ROWS - 1) + 1)(lambda r: r.mean())


def _trend(X: FloatArray, starts: IntArray, kinds: tuple[str, ...]) -> Columns:
    """Backward differences: the gradient over one row, the slope's angle over two."""
    if not kinds:
        return []
    rows = np.arange(len(X))
    one, two = (np.maximum(starts, rows - step) for step in (1, 2))
    if kinds == ("gradient",):
        return [("gradient", X - X[one])]
    slope = np.arctan((X - X[two]) / 2.0)
    made = {"slope": slope, "slope_sin": np.sin(slope), "slope_cos": np.cos(slope)}
    return [(kind, made[kind]) for kind in kinds]


def _peak_frequency(X: FloatArray, starts: IntArray, window: int) -> FloatArray:
    """Strongest frequency of the last `window` rows, mean removed, in cycles per row; 0 where nothing swings."""
    n_rows, n_columns = X.shape
    peaks = np.zeros_like(X)
    offsets = np.arange(1 - window, 1)
    for first in range(0, n_rows, max(1, CHUNK_VALUES // (window * n_columns))):
        rows = np.arange(first, min(n_rows, first + max(1, CHUNK_VALUES // (window * n_columns))))
        past = np.maximum(rows[:, None] + offsets, starts[rows][:, None])
        values = X[past]
        power = np.abs(np.fft.rfft(values - values.mean(axis=1, keepdims=True), axis=1))
        power[:, 0] = 0.0
        peaks[rows] = np.fft.rfftfreq(window)[power.argmax(axis=1)]
    return peaks
