"""Statistics of the last rows of a group, at a cost that does not depend on how many rows these are.

A group is cut into blocks as long as the window, so that a window is the end of one block and the beginning of the
next. Sums, minima and maxima of all ends and of all beginnings take one pass each, and those of a window follow from
two of them (for minima: van Herk (1992), Pattern Recognition Letters 13(7)). Values are taken relative to the first one
of the later block, which is inside the window, so that nothing cancels, however large their offset is. To the last bit,
a result depends on nothing but the rows of its window and their places in the group. docs/decisions/features.md
compares this with the rolling functions of other libraries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cemai_opt.core.batch import BoolArray, FloatArray, IntArray
from cemai_opt.stages import _rolling_compiled
from cemai_opt.stages._rolling_compiled import EXTREMES, MAX_STRAND, STRAND, SUMS

RESTART_ROWS = 16384
"""Values that are updated from row to row restart after this many rows from the start of a group. Their rounding errors
depend on the first row: with restarts, a part of a group has bitwise the same results."""
FEW_ROWS = 8
"""Windows of up to so many rows are summed up row by row: that takes less time than blocks."""
CHUNK_VALUES = 65536
"""Values that are processed together, so that they stay in the cache of a core."""

SPREADS = ("std", "var")

Columns = list[tuple[str, FloatArray]]
"""New columns: what was computed, and (n_rows, n_columns) values."""


@dataclass(frozen=True, kw_only=True)
class _Blocks:
    """Blocks of `size` rows, in the order of the rows: arrays (n_blocks,).

    A block begins at row `first`, and has rows from `low` to `high` - 1 only. `follows`: whether the block before it
    belongs to the same group.
    """

    size: int
    first: IntArray
    low: IntArray
    high: IntArray
    follows: BoolArray


def pieces(starts: IntArray, place: IntArray, *, reach: int) -> Iterator[tuple[int, int, int]]:
    """Parts of groups between two restarts: (back, begin, end), where rows `back` to `begin - 1` are only history.

    `starts`: (n_rows,) first row of each row's group; `place`: (n_rows,) position in it; `reach`: rows of history.
    """
    rows = np.arange(len(starts))
    restarts = np.flatnonzero((place % restart_rows(reach) == 0) | (starts == rows)).tolist()
    for begin, end in zip(restarts, [*restarts[1:], len(rows)], strict=True):
        yield max(int(starts[begin]), begin - reach), begin, end


def restart_rows(reach: int) -> int:
    """Rows between two restarts of values with so many rows of history: more history than that costs as much again."""
    return max(RESTART_ROWS, reach)


def rolling(
    X: FloatArray,
    starts: IntArray,
    *,
    place: IntArray,
    window: int,
    statistics: tuple[str, ...],
    made: Sequence[FloatArray],
) -> None:
    """Statistics of the last `window` rows up to and including each row; fewer at the start of a group.

    `X`: (n_rows, n_columns) without NaN. They are computed in 64 bits and written to `made`, an array (n_columns,
    n_rows) in C order for each. Rows whose group begins before the first row of `X` are right if they have
    `window` - 1 rows before them.
    """
    n_columns, is_compiled = X.shape[1], _rolling_compiled.is_loaded(X.dtype)
    if window <= FEW_ROWS:
        roll_few = _rolling_compiled.roll_few if is_compiled else _roll_few
        roll_few(X, starts, window=window, statistics=statistics, made=made)
        return
    for blocks in _blocks_of(starts, place, window=window):
        if is_compiled:
            numbers = np.column_stack([blocks.first, blocks.low, blocks.high, blocks.follows])
            _rolling_compiled.roll(X, numbers, size=blocks.size, statistics=statistics, made=made)
            continue
        width = min(n_columns, max(1, CHUNK_VALUES // blocks.size))
        n_together = max(1, CHUNK_VALUES // (blocks.size * width))
        for begin in range(0, len(blocks.first), n_together):
            chosen = slice(begin, begin + n_together)
            for left in range(0, n_columns, width):
                columns = slice(left, left + width)
                _roll(
                    X[:, columns], blocks, chosen=chosen, statistics=statistics, made=[into[columns] for into in made]
                )


def _roll_few(
    X: FloatArray, starts: IntArray, *, window: int, statistics: tuple[str, ...], made: Sequence[FloatArray]
) -> None:
    """Writes statistics of windows of few rows into `made`, relative to the newest row, one age after the other."""
    n_together = max(1, CHUNK_VALUES // X.shape[1])
    for begin in range(0, len(X), n_together):
        end, back = min(begin + n_together, len(X)), max(begin - window + 1, 0)
        values = np.ascontiguousarray(X[back:end].T)
        own, n_before = values[:, begin - back :], np.arange(begin, end) - starts[begin:end]
        low, high = (own.copy(), own.copy()) if set(EXTREMES) & set(statistics) else (None, None)
        change, squares = np.zeros(own.shape), np.zeros(own.shape) if set(SPREADS) & set(statistics) else None
        for age in range(1, window):
            skipped = max(age - (begin - back), 0)  # the first rows of all have none so old
            newer = slice(skipped, None)
            first, last = begin - back + skipped - age, max(end - back - age, 0)
            earlier, is_there = values[:, first:last], n_before[newer] >= age
            if not is_there.all():
                earlier = np.where(is_there, earlier, own[:, newer])
            if low is not None and high is not None:
                np.minimum(low[:, newer], earlier, out=low[:, newer])
                np.maximum(high[:, newer], earlier, out=high[:, newer])
            off = np.subtract(earlier, own[:, newer], dtype=np.float64)
            change[:, newer] += off
            if squares is not None:
                squares[:, newer] += np.square(off, out=off)
        found = _of_sums(change, squares, anchor=own, n_rows=np.minimum(n_before + 1, window), statistics=statistics)
        if low is not None and high is not None:
            found |= {"min": low, "max": high, "range": high - low}
        for name, into in zip(statistics, made, strict=True):
            into[:, begin:end] = found[name]


def _of_sums(
    change: FloatArray,
    squares: FloatArray | None,
    *,
    anchor: FloatArray,
    n_rows: IntArray,
    statistics: tuple[str, ...],
) -> dict[str, FloatArray]:
    """Statistics of `n_rows` values by the sums of their differences from the anchor, and of the squares of these,
    unless no spread is wanted; both are overwritten."""
    found: dict[str, FloatArray] = {}
    if "sum" in statistics:
        found["sum"] = change + n_rows * anchor
    change /= n_rows
    if squares is not None:
        squares /= n_rows
        squares -= change * change
        found["var"] = np.maximum(squares, 0.0, out=squares)
    if "std" in statistics:
        found["std"] = np.sqrt(found["var"])
    found["mean"] = np.add(change, anchor, out=change)
    return found


def _blocks_of(starts: IntArray, place: IntArray, *, window: int) -> Iterator[_Blocks]:
    """The blocks of all groups: of those with several blocks, then for each power of two of shorter ones."""
    low = np.flatnonzero(starts == np.arange(len(starts)))
    high = np.append(low[1:], len(starts))
    ahead = place[low] % window  # rows of the first block that are not there
    n_blocks = -(-(high - low + ahead) // window)
    is_long = n_blocks > 1
    repeats = n_blocks[is_long]
    number = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    yield _Blocks(
        size=window,
        first=np.repeat((low - ahead)[is_long], repeats) + number * window,
        low=np.repeat(low[is_long], repeats),
        high=np.repeat(high[is_long], repeats),
        follows=number > 0,
    )
    sizes = np.minimum(2 ** np.ceil(np.log2(high - low + ahead)).astype(np.int64), window)
    for size in np.unique(sizes[~is_long]).tolist():
        mine = ~is_long & (sizes == size)
        follows = np.zeros(int(mine.sum()), bool)
        yield _Blocks(size=size, first=(low - ahead)[mine], low=low[mine], high=high[mine], follows=follows)


def _roll(
    X: FloatArray, blocks: _Blocks, *, chosen: slice, statistics: tuple[str, ...], made: Sequence[FloatArray]
) -> None:
    """Writes the statistics of the rows of some successive blocks into `made`, arrays (n_columns, n_rows)."""
    size, follows = blocks.size, blocks.follows[chosen]
    first, low, high = blocks.first[chosen], blocks.low[chosen], blocks.high[chosen]
    has_before = bool(follows.any())
    if has_before:  # the rows of the block before; of the first block of a group, its own, which do not count
        first = np.append(first[0] - size * follows[0], first)
        low, high = np.append(low[0], low), np.append(high[0], high)
    own = slice(1, None) if has_before else slice(None)
    begin, end = int(first[0]), int(first[-1]) + size
    is_whole = len(first) * size == end - begin and begin >= low[0] and end <= high[-1] and bool((low == low[0]).all())
    if is_whole:
        values = X[begin:end].reshape(len(first), size, -1)
    else:
        rows = first[:, None] + np.arange(size)
        values = X[np.clip(rows, low[:, None], high[:, None] - 1)]
        written = ((rows[own] >= low[own, None]) & (rows[own] < high[own, None])).ravel()
        target = rows[own].ravel()[written]
    n_own = len(first) - has_before
    found = _statistics(_strands(values), follows if has_before else None, size=size, statistics=statistics)
    for name, into in zip(statistics, made, strict=True):
        in_time = found[name].transpose(1, 2, 3, 0)
        if is_whole:
            _write(in_time, into[:, end - n_own * size : end].reshape(len(into), n_own, size))
        else:
            in_order = in_time.reshape(len(into), n_own, -1)[:, :, :size]
            into[:, target] = in_order.reshape(len(into), -1)[:, written]


def _write(values: FloatArray, into: FloatArray) -> None:
    """Writes values by strand, the last of which may be longer, into blocks (n_columns, n_blocks, size)."""
    length, size = values.shape[3], into.shape[2]
    n_whole = size // length
    whole = into[:, :, : n_whole * length]
    whole.reshape(*whole.shape[:2], n_whole, length)[...] = values[:, :, :n_whole]
    if n_whole * length < size:
        into[:, :, n_whole * length :] = values[:, :, -1, : size - n_whole * length]


def _strands(values: FloatArray) -> FloatArray:
    """Blocks (n_blocks, size, n_columns) as (length of a strand, n_columns, n_blocks, n_strands)."""
    n_blocks, size, n_columns = values.shape
    length = size if size <= MAX_STRAND else STRAND
    n_strands = -(-size // length)
    if n_strands * length != size:
        padded = np.zeros((n_blocks, n_strands * length, n_columns), values.dtype)
        padded[:, :size] = values
        values = padded
    return np.ascontiguousarray(values.reshape(n_blocks, n_strands, length, n_columns).transpose(2, 3, 0, 1))


def _statistics(
    values: FloatArray, follows: BoolArray | None, *, size: int, statistics: tuple[str, ...]
) -> Mapping[str, FloatArray]:
    """Statistics of the windows that end in all blocks but the first; `values` come from `_strands`.

    `follows`: (n_blocks - 1,) whether the block before belongs to the same group; None if none does: then the first
    block is one of them.
    """
    length, _, _, n_strands = values.shape
    n_last = size - (n_strands - 1) * length
    before, own = (values[:, :, :-1], values[:, :, 1:]) if follows is not None else (values[:, :, :0], values)
    anchor = own[:1, :, :, :1].copy()
    n_so_far = np.arange(length)[:, None] + length * np.arange(n_strands) + 1
    n_rows = (
        n_so_far[:, None, None] if follows is None else np.where(follows[:, None], size, n_so_far[:, None])[:, None]
    )
    found: dict[str, FloatArray] = {}

    def over_window(operator: np.ufunc, own: FloatArray, *, before: FloatArray, nothing: float) -> FloatArray:
        """What the operator gives over each window; both arrays are overwritten."""
        _accumulate(operator, own, nothing=nothing)
        if follows is None:
            return own
        before[n_last:, :, :, -1] = nothing
        if not follows.all():
            before[:, :, ~follows] = nothing
        _accumulate(operator, before, nothing=nothing, is_backward=True)
        operator(own[:-1], before[1:], out=own[:-1])
        operator(own[-1, :, :, :-1], before[0, :, :, 1:], out=own[-1, :, :, :-1])
        return own

    if set(EXTREMES) & set(statistics):
        found["min"] = over_window(np.minimum, own.copy(), before=before.copy(), nothing=np.inf)
        found["max"] = over_window(np.maximum, own.copy(), before=before.copy(), nothing=-np.inf)
    if "range" in statistics:
        found["range"] = found["max"] - found["min"]
    if set(SUMS) & set(statistics):
        own, before = (np.subtract(part, anchor[:, :, : part.shape[2]], dtype=np.float64) for part in (own, before))
        squares = None
        if set(SPREADS) & set(statistics):
            squares = over_window(np.add, own * own, before=before * before, nothing=0.0)
        change = over_window(np.add, own, before=before, nothing=0.0)
        found |= _of_sums(change, squares, anchor=anchor, n_rows=n_rows, statistics=statistics)
    return found


def _accumulate(operator: np.ufunc, values: FloatArray, *, nothing: float, is_backward: bool = False) -> None:
    """Accumulates along strands (first axis), which follow one another along the last axis; in place."""
    in_order = values[::-1] if is_backward else values
    for earlier, later in pairwise(in_order):
        operator(earlier, later, out=later)
    if values.shape[-1] > 1:
        ends = np.full(values.shape[1:], nothing, values.dtype)
        if is_backward:
            ends[..., -2::-1] = operator.accumulate(values[0, ..., :0:-1], axis=-1)
        else:
            ends[..., 1:] = operator.accumulate(values[-1, ..., :-1], axis=-1)
        operator(values, ends, out=values)


def start_mean(X: FloatArray, starts: IntArray, *, n_rows: int) -> FloatArray:
    """Mean of the first `n_rows` rows of the group, or of those up to each row."""
    made = np.empty_like(X)
    first = np.flatnonzero(starts == np.arange(len(starts)))
    for begin, end in zip(first, np.append(first[1:], len(X)), strict=True):
        change = np.cumsum(X[begin : min(end, begin + n_rows)] - X[begin], axis=0, dtype=np.float64)
        change /= np.arange(1, len(change) + 1)[:, None]
        made[begin : begin + len(change)] = X[begin] + change
        made[begin + len(change) : end] = X[begin] + change[-1]
    return made


def exponential_mean(X: FloatArray, starts: IntArray, *, place: IntArray, rows: int) -> FloatArray:
    """Exponentially weighted mean of all rows of the group up to each row, in one pass.

    The weight of a row halves about every third of `rows` rows: alpha is 2 / (rows + 1), as in pandas' `span`.
    """
    from scipy.signal import lfilter

    alpha, made = smoothing(rows), np.empty((X.shape[1], len(X)), X.dtype)
    for back, begin, end in pieces(starts, place, reach=memory_rows(rows)):
        part = np.array(X[back:end].T, np.float64, order="C")
        smoothed, _ = lfilter([alpha], [1.0, alpha - 1.0], part, zi=(1.0 - alpha) * part[:, :1])
        made[:, begin:end] = smoothed[:, begin - back :]
    return made.T


def smoothing(rows: int) -> float:
    """The weight of the current row in an exponentially weighted mean over about `rows` rows."""
    return 2.0 / (rows + 1.0)


def memory_rows(rows: int) -> int:
    """Rows after which an exponentially weighted mean has forgotten all but 2e-9 of a value."""
    return 10 * rows
