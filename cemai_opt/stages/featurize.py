"""Adds features of earlier values of each variable: causal, and inside a group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cemai_opt.core.batch import Batch, FittedState, FloatArray, IntArray, Task, group_starts
from cemai_opt.core.errors import StudyError
from cemai_opt.core.hyperparameters import Hyperparameter, choice, flag, integer
from cemai_opt.core.onnx_graph import OnnxGraph
from cemai_opt.stages import _onnx
from cemai_opt.stages._stage import Lookback, Params, Stage

ROLLING: dict[str, tuple[str, ...]] = {
    "none": (),
    "mean": ("mean",),
    "mean_std": ("mean", "std"),
    "mean_std_range": ("mean", "std", "range"),
    "all": ("sum", "mean", "min", "max", "range", "std", "var"),
}
"""Sets of rolling statistics, one choice each: with a flag per statistic, half of them would be on at random."""
SECOND_WINDOW = {"none": 0, "4x": 4, "8x": 8}
TREND: dict[str, tuple[str, ...]] = {
    "none": (),
    "gradient": ("gradient",),
    "slope": ("slope",),
    "slope_sin_cos": ("slope", "slope_sin", "slope_cos"),
}
RESTART_ROWS = 16384
"""Rolling statistics restart after this many rows from the start of a group. They are updated from row to row, and
their rounding errors depend on the first row: with restarts, a part of a group has bitwise the same results."""
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
    def hyperparameters(cls) -> tuple[Hyperparameter, ...]:
        """By default, no features are added."""
        rolled = ("rolling", tuple(name for name in ROLLING if name != "none"))
        return (
            choice("rolling", tuple(ROLLING), default="none"),
            integer("window_rows", 3, high=300, default=30, log=True, unit="rows", when=rolled),
            choice("second_window", tuple(SECOND_WINDOW), default="none", when=rolled),
            flag("keep_raw", True, when=rolled),
            choice("trend", tuple(TREND), default="none"),
            flag("since_start", False),
            flag("peak_frequency", False, searched=False),
        )

    @classmethod
    def volume(cls, params: Params) -> float:
        """Number of columns computed from each one."""
        n_rolled = len(ROLLING[str(params.get("rolling", "none"))])
        n_rolled *= 2 if SECOND_WINDOW[str(params.get("second_window", "none"))] else 1
        n_others = len(TREND[str(params.get("trend", "none"))])
        n_others += sum(bool(params.get(name)) for name in ("since_start", "peak_frequency"))
        return float(n_rolled + n_others + (1 if params.get("keep_raw", True) or not n_rolled else 0))

    @classmethod
    def lookback(cls, params: Params) -> Lookback:
        """The longest window; with rolling statistics, also the rows back to their last restart."""
        window = int(params["window_rows"])
        longest = window * max(SECOND_WINDOW[str(params["second_window"])], 1)
        is_rolled = bool(ROLLING[str(params["rolling"])])
        rows = (
            longest if is_rolled else 0,
            2 if TREND[str(params["trend"])] else 0,
            window if params["peak_frequency"] else 0,
        )
        return Lookback(
            rows=max(rows),
            start_rows=START_ROWS if params["since_start"] else 0,
            restart_rows=RESTART_ROWS if is_rolled else 0,
        )

    @classmethod
    def onnx(cls, graph: OnnxGraph, rows: str, *, params: Params, state: FittedState | None) -> str:
        """All features but peak frequencies: rounding decides between equally strong ones, and differs in ONNX."""
        if params["peak_frequency"]:
            raise StudyError("peak frequencies have no ONNX form", "use the native form")
        statistics, window = ROLLING[str(params["rolling"])], int(params["window_rows"])
        blocks = [rows] if params["keep_raw"] or not statistics else []
        if statistics:
            factor = SECOND_WINDOW[str(params["second_window"])]
            for size in (window, window * factor) if factor else (window,):
                blocks += _onnx.rolling(graph, rows, window=size, statistics=statistics)
        blocks += _onnx.trend(graph, rows, kinds=TREND[str(params["trend"])])
        if params["since_start"]:
            blocks.append(graph.add("Sub", rows, _onnx.start_mean(graph, rows, n_rows=START_ROWS)))
        return graph.add("Concat", *blocks, axis=1) if len(blocks) > 1 else blocks[0]

    def prepare(self, params: Params, task: Task) -> None:
        """Imports pandas, which computes rolling statistics."""
        import pandas  # noqa: F401  # imported before the measurement

    def _run(self, batch: Batch, params: Params) -> Batch:
        starts = group_starts(batch.group)
        statistics, window = ROLLING[str(params["rolling"])], int(params["window_rows"])
        added: Columns = []
        if statistics:
            place = np.arange(len(batch.X)) - starts if batch.place is None else batch.place
            factor = SECOND_WINDOW[str(params["second_window"])]
            for rows in (window, window * factor) if factor else (window,):
                added += _rolling(batch.X, starts, place=place, window=rows, statistics=statistics)
        added += _trend(batch.X, starts, kinds=TREND[str(params["trend"])])
        if params["since_start"]:
            added.append(("since_start", batch.X - _start_mean(batch.X, starts)))
        if params["peak_frequency"]:
            added.append((f"peak_frequency_{window}", _peak_frequency(batch.X, starts, window=window)))
        blocks = added if statistics and not params["keep_raw"] else [("", batch.X), *added]
        if len(blocks) == 1 and not blocks[0][0]:
            return batch
        names = tuple(f"{name}_{suffix}" if suffix else name for suffix, _ in blocks for name in batch.names)
        return batch.with_columns(np.hstack([block for _, block in blocks]), names)


def _rolling(X: FloatArray, starts: IntArray, *, place: IntArray, window: int, statistics: tuple[str, ...]) -> Columns:
    """Statistics of the last `window` rows up to and including each row; fewer at the start of a group."""
    rows = np.arange(len(X))
    first = np.maximum(starts, rows - window + 1)
    is_restart = (place % RESTART_ROWS == 0) | (starts == rows)
    restarts = np.flatnonzero(is_restart)
    if (starts[restarts] == restarts).all():
        return _rolled(X, first, window=window, statistics=statistics)
    # after a restart inside a group, the piece includes the earlier rows of its first windows
    pieces = []
    for begin, end in zip(restarts.tolist(), [*restarts[1:].tolist(), len(X)], strict=True):
        back = int(first[begin])
        bounds = np.maximum(first[back:end] - back, 0)
        made = _rolled(
            X[back:end],
            np.where(rows[back:end] < begin, 0, bounds),
            window=window,
            statistics=statistics,
            skip=begin - back,
        )
        pieces.append(made)
    return [(name, np.vstack([dict(piece)[name] for piece in pieces])) for name, _ in pieces[0]]


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


def _start_mean(X: FloatArray, starts: IntArray) -> FloatArray:
    """Mean of the first `START_ROWS` rows of the group, or of those up to each row."""
    rows = np.arange(len(X))
    return _bounded(X, starts, end=np.minimum(rows, starts + START_ROWS - 1) + 1)(lambda r: r.mean())


def _trend(X: FloatArray, starts: IntArray, *, kinds: tuple[str, ...]) -> Columns:
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


def _peak_frequency(X: FloatArray, starts: IntArray, *, window: int) -> FloatArray:
    """Strongest frequency of the last `window` rows, mean removed, in cycles per row; 0 if values are constant."""
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
