"""The rolling statistics of `_rolling`, compiled by numba: the same results to the last bit, in a third of the time.

numba takes half a second to load, and seconds to compile once on each machine, which only data with many values repay.
Without it, or with less data, NumPy computes the same. The functions below `load` are compiled, not called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray

WORTHWHILE_VALUES = 1 << 24
"""Values of a data set from which a search repays loading numba, and two or three searches what was once compiled."""
MAX_STRAND, STRAND = 64, 16
"""Blocks of more rows than the first are cut into strands of the second, whose sums are added up in their order."""
CHUNK_ROWS, TILE = 8192, 1024
"""Rows of which all columns are done before the next ones, and rows of a column that are finished together."""

Kernel = Callable[[FloatArray, IntArray, int, tuple[FloatArray, ...]], None]
SUMS, EXTREMES = ("sum", "mean", "std", "var"), ("min", "max", "range")


@dataclass(frozen=True, kw_only=True)
class _Kernels:
    """Of blocks, sums and extremes; of windows of few rows, both."""

    sums: Kernel
    extremes: Kernel
    few: Kernel


_kernels: dict[np.dtype, _Kernels] = {}


def load(dtype: np.dtype) -> bool:
    """Compiles the functions for values of a type, or loads them if that was done before; whether they are there now.

    They are not where numba is not installed, or finds no folder to store them in.
    """
    if dtype in _kernels:
        return True
    try:
        import numba
        from numba.extending import register_jitable
    except ImportError:  # not installed, or not for this version of NumPy
        return False
    values = numba.from_dtype(dtype)
    made = numba.types.Array(values, 2, "C")
    given = numba.types.Array(values, 2, "A", readonly=True)
    blocks, starts = numba.int64[:, ::1], numba.types.Array(numba.int64, 1, "A", readonly=True)
    for called in (_finish_sums, _finish_extremes, _add_up, _narrow_down):
        register_jitable(called)

    def compiled(function: Kernel, *, rows: numba.types.Type, n_statistics: int) -> Kernel:
        outputs = numba.types.UniTuple(made, n_statistics)  # type: ignore[no-untyped-call]  # typed in part
        signature = numba.void(given, rows, numba.int64, outputs)
        kernel: Kernel = numba.njit(signature, cache=True, error_model="numpy")(function)
        return kernel

    try:
        _kernels[dtype] = _Kernels(
            sums=compiled(_sums, rows=blocks, n_statistics=len(SUMS)),
            extremes=compiled(_extremes, rows=blocks, n_statistics=len(EXTREMES)),
            few=compiled(_few, rows=starts, n_statistics=len(SUMS + EXTREMES)),
        )
    except RuntimeError:  # numba's, if it cannot write anywhere: then every process would compile
        return False
    return True


def is_loaded(dtype: np.dtype) -> bool:
    """Whether values of this type can be rolled here."""
    return dtype in _kernels


def roll(X: FloatArray, blocks: IntArray, *, size: int, statistics: Sequence[str], made: Sequence[FloatArray]) -> None:
    """Writes statistics of blocks of `size` rows into `made`, arrays (n_columns, n_rows) in C order.

    `blocks`: (n_blocks, 4) of their first row, the first and the end of their group's rows, and whether the block
    before is of the same group. The type of `X` (n_rows, n_columns) has been loaded.
    """
    into, kernels = dict(zip(statistics, made, strict=True)), _kernels[X.dtype]
    for kernel, names in ((kernels.sums, SUMS), (kernels.extremes, EXTREMES)):
        if into.keys() & set(names):
            kernel(X, blocks, size, _outputs(into, names, dtype=X.dtype))


def roll_few(
    X: FloatArray, starts: IntArray, *, window: int, statistics: Sequence[str], made: Sequence[FloatArray]
) -> None:
    """Writes statistics of the last `window` rows, which are few, into `made`, arrays (n_columns, n_rows) in C order.

    `starts`: (n_rows,) first row of each row's group. The type of `X` (n_rows, n_columns) has been loaded.
    """
    into = dict(zip(statistics, made, strict=True))
    _kernels[X.dtype].few(X, starts, window, _outputs(into, SUMS + EXTREMES, dtype=X.dtype))


def _outputs(into: Mapping[str, FloatArray], names: Sequence[str], *, dtype: np.dtype) -> tuple[FloatArray, ...]:
    """An array for each of the names, without values for what is not wanted."""
    nothing = np.empty((0, 0), dtype)
    return tuple(into.get(name, nothing) for name in names)


def _sums(X: FloatArray, blocks: IntArray, size: int, made: tuple[FloatArray, ...]) -> None:  # pragma: no cover
    length = size if size <= MAX_STRAND else STRAND
    n_strands, n_together = -(-size // length), max(1, CHUNK_ROWS // size)
    own, earlier, has_before = np.empty(size), np.empty(size), False
    before, squares_before = np.zeros(size), np.zeros(size)
    changes, squares, anchors, counts = np.empty(TILE), np.empty(TILE), np.empty(TILE), np.empty(TILE)
    for part, column in np.ndindex((len(blocks) + n_together - 1) // n_together, X.shape[1]):
        x, n, row, skipped = X[:, column], 0, 0, 0  # of the tile: its rows, the first, and how many are not there
        for block in range(part * n_together, min((part + 1) * n_together, len(blocks))):
            first, low, high, follows = blocks[block, 0], blocks[block, 1], blocks[block, 2], blocks[block, 3]
            end = min(size, high - first)
            if row + n != first or first < low or n + min(end, TILE) > TILE:
                _finish_sums(changes, squares, anchors, counts, skipped, n, made, column, row)
                n, row, skipped = 0, first, max(low - first, 0)
            if follows and block == part * n_together:
                for j in range(size):
                    earlier[j] = x[max(first - size + j, low)]
            for j in range(end):
                own[j] = x[max(first + j, low)]
            anchor, sum_other, squares_other = own[0], 0.0, 0.0
            if follows:
                for strand in range(n_strands - 1, -1, -1):
                    sum_own, squares_own = 0.0, 0.0
                    for j in range(min((strand + 1) * length, size) - 1, max(strand * length, 1) - 1, -1):
                        change = earlier[j] - anchor
                        sum_own += change
                        squares_own += change * change
                        before[j - 1], squares_before[j - 1] = sum_own + sum_other, squares_own + squares_other
                    sum_other += sum_own
                    squares_other += squares_own
                sum_other, squares_other = 0.0, 0.0
            elif has_before:
                before[:], squares_before[:] = 0.0, 0.0
            for left in range(0, end, length):
                right, sum_own, squares_own = min(left + length, end), 0.0, 0.0
                if n + right - left > TILE:  # a block of more rows than a tile
                    _finish_sums(changes, squares, anchors, counts, min(skipped, n), n, made, column, row)
                    n, row, skipped = 0, row + n, max(skipped - n, 0)
                for j in range(left, right):
                    change = own[j] - anchor
                    sum_own += change
                    squares_own += change * change
                    i = n + j - left
                    changes[i] = sum_own + sum_other + before[j]
                    squares[i] = squares_own + squares_other + squares_before[j]
                    anchors[i], counts[i] = anchor, size if follows else j + 1
                n += right - left
                sum_other += sum_own
                squares_other += squares_own
            has_before, own, earlier = follows, earlier, own
        _finish_sums(changes, squares, anchors, counts, skipped, n, made, column, row)


def _finish_sums(  # pragma: no cover
    changes: FloatArray,
    squares: FloatArray,
    anchors: FloatArray,
    counts: FloatArray,
    skipped: int,
    n: int,
    made: tuple[FloatArray, ...],
    column: int,
    row: int,
) -> None:
    changes, squares, anchors, counts = changes[skipped:n], squares[skipped:n], anchors[skipped:n], counts[skipped:n]
    total, mean, std, var = made
    rows = slice(row + skipped, row + n)
    if len(total):
        into = total[column, rows]
        for i in range(len(into)):
            into[i] = changes[i] + counts[i] * anchors[i]
    for i in range(len(changes)):
        changes[i] /= counts[i]
    if len(mean):
        into = mean[column, rows]
        for i in range(len(into)):
            into[i] = changes[i] + anchors[i]
    if len(std) or len(var):
        for i in range(len(squares)):
            squares[i] = max(squares[i] / counts[i] - changes[i] * changes[i], 0.0)
    if len(var):
        into = var[column, rows]
        for i in range(len(into)):
            into[i] = squares[i]
    if len(std):
        into = std[column, rows]
        for i in range(len(into)):
            into[i] = np.sqrt(squares[i])


def _extremes(X: FloatArray, blocks: IntArray, size: int, made: tuple[FloatArray, ...]) -> None:  # pragma: no cover
    n_together, tile = max(1, CHUNK_ROWS // size), max(TILE, size)
    lows_before, highs_before = np.empty(size, X.dtype), np.empty(size, X.dtype)
    lows, highs = np.empty(tile, X.dtype), np.empty(tile, X.dtype)
    for part, column in np.ndindex((len(blocks) + n_together - 1) // n_together, X.shape[1]):
        x, n, row = X[:, column], 0, 0
        for block in range(part * n_together, min((part + 1) * n_together, len(blocks))):
            first, low, high, follows = blocks[block, 0], blocks[block, 1], blocks[block, 2], blocks[block, 3]
            begin, end = max(low - first, 0), min(size, high - first)
            if row + n != first + begin or n + end - begin > tile:
                _finish_extremes(lows, highs, n, made, column, row)
                n, row = 0, first + begin
            least = most = x[first + begin]
            for j in range(begin, end):
                value = x[first + j]
                least, most = min(least, value), max(most, value)
                lows[n + j - begin], highs[n + j - begin] = least, most
            if follows:
                least = most = x[first - 1]
                for j in range(size - 1, 0, -1):
                    value = x[max(first - size + j, low)]
                    least, most = min(least, value), max(most, value)
                    lows_before[j - 1], highs_before[j - 1] = least, most
                for j in range(min(size - 1, end)):
                    lows[n + j], highs[n + j] = min(lows[n + j], lows_before[j]), max(highs[n + j], highs_before[j])
            n += end - begin
        _finish_extremes(lows, highs, n, made, column, row)


def _finish_extremes(  # pragma: no cover
    lows: FloatArray, highs: FloatArray, n: int, made: tuple[FloatArray, ...], column: int, row: int
) -> None:
    lowest, highest, spread = made
    rows = slice(row, row + n)
    if len(lowest):
        lowest[column, rows] = lows[:n]
    if len(highest):
        highest[column, rows] = highs[:n]
    if len(spread):
        into = spread[column, rows]
        for i in range(n):
            into[i] = highs[i] - lows[i]


def _few(X: FloatArray, starts: IntArray, window: int, made: tuple[FloatArray, ...]) -> None:  # pragma: no cover
    total, mean, std, var, lowest, highest, spread = made
    has_sums = len(total) > 0 or len(mean) > 0 or len(std) > 0 or len(var) > 0
    has_extremes = len(lowest) > 0 or len(highest) > 0 or len(spread) > 0
    changes, squares, anchors, counts = np.empty(TILE), np.empty(TILE), np.empty(TILE), np.empty(TILE)
    most = window + TILE
    values, lows, highs = np.empty(most, X.dtype), np.empty(most, X.dtype), np.empty(most, X.dtype)
    row = 0
    while row < len(X):
        n_before, n = row - starts[row], 1  # rows of the group before these, of which there are n
        while n < TILE and row + n < len(X) and starts[row + n] == starts[row]:
            n += 1
        back = min(n_before, window - 1)
        for column in range(X.shape[1]):
            for i in range(back + n):
                values[i] = X[row - back + i, column]
            if has_sums:
                for i in range(n):
                    anchors[i], counts[i] = values[back + i], min(n_before + i + 1, window)
                _add_up(values[: back + n], back, window, changes, squares)
                _finish_sums(changes, squares, anchors, counts, 0, n, (total, mean, std, var), column, row)
            if has_extremes:
                _narrow_down(values[: back + n], window, lows, highs)
                _finish_extremes(lows[back:], highs[back:], n, (lowest, highest, spread), column, row)
        row += n


def _add_up(  # pragma: no cover
    values: FloatArray, back: int, window: int, changes: FloatArray, squares: FloatArray
) -> None:
    """Sums over the windows of all values but the first `back`, relative to the newest one of each window."""
    own = values[back:]
    changes[: len(own)], squares[: len(own)] = 0.0, 0.0
    for age in range(1, window):
        skipped = max(age - back, 0)  # values whose group began later; there are no others that lack any
        into, squared = changes[skipped:], squares[skipped:]
        for i in range(len(own) - skipped):
            change = np.float64(values[back + skipped - age + i]) - np.float64(own[skipped + i])
            into[i] += change
            squared[i] += change * change


def _narrow_down(  # pragma: no cover
    values: FloatArray, window: int, lows: FloatArray, highs: FloatArray
) -> None:
    """The least and the most of the last rows up to each value: of stretches of 2, 4 and so on, from two halves."""
    for i in range(len(values)):
        lows[i] = highs[i] = values[i]
    covered = 1
    while covered < window:
        step = min(covered, window - covered)
        for i in range(len(values) - 1, step - 1, -1):
            lows[i] = min(lows[i], lows[i - step])
            highs[i] = max(highs[i], highs[i - step])
        covered += step
