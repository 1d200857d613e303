"""Features and windows of 5.12 million rows, compared with other ways to compute them, in one run."""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from cemai_opt.core.batch import FloatArray, IntArray, group_starts
from cemai_opt.datasets.broaching_demo import CHANNELS, STROKE_ROWS, STROKES, broaching_strokes
from cemai_opt.stages import _rolling_compiled
from cemai_opt.stages._rolling import rolling
from cemai_opt.stages.sequentialize import windows_of

ALL = ("sum", "mean", "min", "max", "range", "std", "var")
WINDOWS = (2, 30, 1000, 128_000)
LIBRARY_WINDOW = 1000
NETWORK_WINDOW = 64
TURNS = 7
"""How often features and a copy take turns, of which the lowest count: a machine's memory is now faster, now slower."""
LOOP_ROWS = 20_000
"""Rows on which ways that take minutes for all are timed; their time is proportional to the rows."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    command.add_argument("--rows", type=int, default=STROKES * STROKE_ROWS, help="rows in all, in 40 groups")
    command.set_defaults(command=run)


def run(args: argparse.Namespace) -> None:
    """Prints the tables."""
    frame = broaching_strokes(n_rows=-(-args.rows // STROKES))
    X = np.ascontiguousarray(frame[list(CHANNELS)].to_numpy(np.float32))  # row by row, as data sets are
    group = frame["stroke"].to_numpy()
    starts = group_starts(group)
    place = np.arange(len(X)) - starts
    print(
        f"{len(X)} rows x {X.shape[1]} columns, {STROKES} groups, 32 bits; CPU seconds of one thread, lower of three\n"
    )
    loading = time.process_time()
    if not _rolling_compiled.load(X.dtype):
        print("numba is not installed, or has no folder to write to: NumPy alone\n")
    print(f"loading numba and the compiled functions: {time.process_time() - loading:.1f} s\n")
    _windows_table(X, starts, place=place)
    _libraries_table(X, group, starts=starts, place=place)
    _sequentialize_table(X, starts)


def _windows_table(X: FloatArray, starts: IntArray, *, place: IntArray) -> None:
    n_bytes = X.nbytes * (1 + len(ALL))
    print(f"all of {', '.join(ALL)}: {n_bytes / 1e9:.2f} GB are read and written; copied: as many bytes, in turns")
    print("| window | copied, s | s | ns per value and statistic | times a copy | NumPy alone, s | times a copy |")
    print("|---" * 7 + "|")
    for window in WINDOWS:
        ours, copy = partial(_ours, X, starts, place, window=window, statistics=ALL), partial(_copied, X, len(ALL))
        turns = [(_seconds(copy, runs=1), _seconds(ours, runs=1)) for _ in range(TURNS)]
        copied, took = (min(seconds) for seconds in zip(*turns, strict=True))
        with _numpy_alone():
            alone = _seconds(ours)
        cells = f"{took:.2f} | {1e9 * took / X.size / len(ALL):.1f} | {took / copied:.1f}"
        print(f"| {window} | {copied:.2f} | {cells} | {alone:.2f} | {alone / copied:.1f} |", flush=True)
    print()


@contextmanager
def _numpy_alone() -> Iterator[None]:
    """Without the compiled functions."""
    is_loaded, _rolling_compiled.is_loaded = _rolling_compiled.is_loaded, lambda dtype: False
    try:
        yield
    finally:
        _rolling_compiled.is_loaded = is_loaded


def _ours(
    X: FloatArray, starts: IntArray, place: IntArray, *, window: int, statistics: tuple[str, ...]
) -> list[FloatArray]:
    made = [np.empty(X.shape[::-1], X.dtype) for _ in statistics]
    rolling(X, starts, place=place, window=window, statistics=statistics, made=made)
    return made


def _copied(X: FloatArray, n: int) -> list[FloatArray]:
    return [X.copy() for _ in range(n)]


def _libraries_table(X: FloatArray, group: IntArray, *, starts: IntArray, place: IntArray) -> None:
    """Mean and standard deviation, minimum and maximum over the last 1,000 rows of each group."""
    wanted = ("mean", "std", "min", "max")
    ours = _seconds(lambda: _ours(X, starts, place, window=LIBRARY_WINDOW, statistics=wanted))
    print(f"{', '.join(wanted)} over {LIBRARY_WINDOW} rows; error: of the standard deviation where 1e6 is added")
    print("| library | s | times ours | relative error |\n|---|---|---|---|")
    print(f"| ours | {ours:.2f} | 1 | {_error(_our_std):.0e} |", flush=True)
    with _numpy_alone():
        alone = _seconds(lambda: _ours(X, starts, place, window=LIBRARY_WINDOW, statistics=wanted))
    print(f"| ours, NumPy alone | {alone:.2f} | {alone / ours:.1f} | the same |", flush=True)
    ways: Mapping[str, Callable[[FloatArray, IntArray], Any]] = {
        "pandas groupby.rolling": _pandas,
        "pandas rolling, group by group": _pandas_by_group,
        "bottleneck": _bottleneck,
        "polars": _polars,
        "scipy.ndimage": _scipy,
        "numba, one pass (Welford, queues)": _numba,
    }
    for name, way in ways.items():
        try:
            took = _seconds(lambda way=way: way(X, group))  # type: ignore[misc]
        except ModuleNotFoundError as error:
            print(f"| {name} | not installed: {error.name} | | |")
            continue
        error = _error(lambda part, way=way: way(part, np.zeros(len(part), np.int64))[1])  # type: ignore[misc]
        print(f"| {name} | {took:.2f} | {took / ours:.1f} | {error:.0e} |", flush=True)
    print()


def _our_std(part: FloatArray) -> FloatArray:
    starts, place = np.zeros(len(part), np.int64), np.arange(len(part))
    return _ours(part, starts, place, window=LIBRARY_WINDOW, statistics=("std",))[0].T


def _error(std_of: Callable[[FloatArray], Any]) -> float:
    """The largest relative error of a standard deviation of 1e-3 around 1e6, in 64 bits."""
    rows = 1e6 + 1e-3 * np.random.default_rng(0).standard_normal((5000, 1))
    found = np.asarray(std_of(rows), np.float64).reshape(len(rows), -1)[LIBRARY_WINDOW:, 0]
    view = np.lib.stride_tricks.sliding_window_view(rows[:, 0] - 1e6, LIBRARY_WINDOW)
    exact = view.std(axis=1)[1 : len(found) + 1]
    return float(np.max(np.abs(found - exact) / exact))


def _pandas(X: FloatArray, group: IntArray) -> list[Any]:
    rolled = pd.DataFrame(X).groupby(group).rolling(LIBRARY_WINDOW, min_periods=1)
    return [rolled.mean(), rolled.std(ddof=0), rolled.min(), rolled.max()]


def _pandas_by_group(X: FloatArray, group: IntArray) -> list[Any]:
    def one(part: FloatArray) -> list[FloatArray]:
        rolled = pd.DataFrame(part).rolling(LIBRARY_WINDOW, min_periods=1)
        return [found.to_numpy() for found in (rolled.mean(), rolled.std(ddof=0), rolled.min(), rolled.max())]

    return _by_group(one, X, group)


def _bottleneck(X: FloatArray, group: IntArray) -> list[Any]:
    bn = importlib.import_module("bottleneck")

    def one(part: FloatArray) -> list[FloatArray]:
        moves = (bn.move_mean, bn.move_std, bn.move_min, bn.move_max)
        return [move(part, LIBRARY_WINDOW, min_count=1, axis=0) for move in moves]

    return _by_group(one, X, group)


def _polars(X: FloatArray, group: IntArray) -> list[Any]:
    pl = importlib.import_module("polars")

    def one(part: FloatArray) -> list[FloatArray]:
        made: list[list[FloatArray]] = [[], [], [], []]
        for column in range(part.shape[1]):
            values = pl.Series(np.ascontiguousarray(part[:, column]))
            options = {"window_size": LIBRARY_WINDOW, "min_samples": 1}
            made[0].append(values.rolling_mean(**options).to_numpy())
            made[1].append(values.rolling_std(**options, ddof=0).to_numpy())
            made[2].append(values.rolling_min(**options).to_numpy())
            made[3].append(values.rolling_max(**options).to_numpy())
        return [np.stack(found, axis=1) for found in made]

    return _by_group(one, X, group)


def _scipy(X: FloatArray, group: IntArray) -> list[Any]:
    from scipy import ndimage

    def one(part: FloatArray) -> list[FloatArray]:
        size, options = LIBRARY_WINDOW, {"axis": 0, "origin": LIBRARY_WINDOW // 2 - 1, "mode": "nearest"}
        mean = ndimage.uniform_filter1d(part, size, **options)
        squares = ndimage.uniform_filter1d(part * part, size, **options)
        std = np.sqrt(np.maximum(squares - mean * mean, 0.0))
        return [
            mean,
            std,
            ndimage.minimum_filter1d(part, size, **options),
            ndimage.maximum_filter1d(part, size, **options),
        ]

    return _by_group(one, X, group)


def _numba(X: FloatArray, group: IntArray) -> list[Any]:
    one = _compiled()
    return _by_group(lambda part: list(one(np.ascontiguousarray(part), LIBRARY_WINDOW)), X, group)


_kernels: list[Any] = []


def _compiled() -> Any:
    """A single pass with updated sums (Welford), and a monotone queue for minimum and maximum."""
    if _kernels:
        return _kernels[0]
    numba = importlib.import_module("numba")

    @numba.njit
    def rolled(x: Any, window: int) -> Any:  # pragma: no cover
        n, columns = x.shape
        mean, std, low, high = np.empty_like(x), np.empty_like(x), np.empty_like(x), np.empty_like(x)
        lows, highs = np.empty(n, np.int64), np.empty(n, np.int64)
        for j in range(columns):
            count, center, spread = 0, 0.0, 0.0
            low_head, low_tail, high_head, high_tail = 0, 0, 0, 0
            for i in range(n):
                value = np.float64(x[i, j])
                if count < window:
                    count += 1
                    off = value - center
                    center += off / count
                    spread += off * (value - center)
                else:
                    old = np.float64(x[i - window, j])
                    off, before = value - old, center
                    center += off / window
                    spread += off * (value - center + old - before)
                while low_tail > low_head and x[lows[low_tail - 1], j] >= x[i, j]:
                    low_tail -= 1
                while high_tail > high_head and x[highs[high_tail - 1], j] <= x[i, j]:
                    high_tail -= 1
                lows[low_tail], highs[high_tail] = i, i
                low_tail += 1
                high_tail += 1
                if lows[low_head] <= i - window:
                    low_head += 1
                if highs[high_head] <= i - window:
                    high_head += 1
                mean[i, j], std[i, j] = center, np.sqrt(max(spread / count, 0.0))
                low[i, j], high[i, j] = x[lows[low_head], j], x[highs[high_head], j]
        return mean, std, low, high

    rolled(np.zeros((4, 1), np.float32), 2)
    rolled(np.zeros((4, 1)), 2)
    _kernels.append(rolled)
    return rolled


def _by_group(one: Callable[[FloatArray], list[FloatArray]], X: FloatArray, group: IntArray) -> list[Any]:
    edges = [0, *(np.flatnonzero(np.diff(group)) + 1).tolist(), len(group)]
    parts = [one(X[begin:end]) for begin, end in pairwise(edges)]
    return [np.concatenate(found) for found in zip(*parts, strict=True)]


def _sequentialize_table(X: FloatArray, starts: IntArray) -> None:
    """Windows of 64 rows: our view, its copy in batches, and a Python loop that copies every window."""
    ours = _seconds(lambda: windows_of(X, starts, window=NETWORK_WINDOW))
    part, own = X[:LOOP_ROWS], starts[:LOOP_ROWS]
    looped = _seconds(lambda: _looped(part, own)) * len(X) / LOOP_ROWS
    one = _seconds(lambda: X.copy())
    print(f"windows of {NETWORK_WINDOW} rows for every row; the loop on {LOOP_ROWS} rows, times {len(X) / LOOP_ROWS:g}")
    print("| way | s | times ours |\n|---|---|---|")
    print(f"| ours: a view | {ours:.2f} | 1 |\n| Python loop | {looped:.2f} | {looped / ours:.0f} |")
    print(f"| one copy of the rows | {one:.3f} | {one / ours:.2f} |")


def _looped(X: FloatArray, starts: IntArray) -> FloatArray:
    windows = []
    for i in range(len(X)):
        rows = X[max(int(starts[i]), i - NETWORK_WINDOW + 1) : i + 1]
        first = np.repeat(rows[:1], NETWORK_WINDOW - len(rows), axis=0)
        windows.append(np.vstack([first, rows]))
    return np.stack(windows)


def _seconds(work: Callable[[], object], *, runs: int = 3) -> float:
    """CPU seconds, the lowest of some runs."""
    times = []
    for _ in range(runs):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)
