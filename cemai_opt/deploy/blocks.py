"""Splits rows that may not fit into memory into blocks, each with as many earlier rows as a pipeline needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.datasets import NewRows
from cemai_opt.stages import Lookback

CHUNK_ROWS = 2**20
"""Rows that are processed at a time in a pass over all rows."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """Rows to predict at once: `X` (n, n_inputs); `group` (n,); `place` (n,) as in a batch, None for whole groups.

    `numbers`: (n_wanted,) numbers in the file of the last rows of `X`; the rows before them are their history.
    """

    numbers: IntArray
    X: FloatArray
    group: IntArray
    place: IntArray | None = None


def blocks(rows: NewRows, lookback: Lookback, *, block_rows: int) -> Iterator[Block]:
    """Blocks of several whole groups or of a part of a long one; each row is in one. `X` is read block by block.

    Sorted rows need no additional memory; others need an index.
    """
    index = None if _are_in_order(rows) else np.lexsort((rows.order, rows.group))

    def numbers(places: IntArray) -> IntArray:
        return places if index is None else index[places]

    starts = _group_starts(rows, numbers)
    first = 0
    for start, end in pairwise([*starts, len(rows.group)]):
        is_long = end - start > block_rows
        if first < start and (is_long or end - first > block_rows):
            yield _whole_groups(rows, numbers(np.arange(first, start)))
            first = start
        if is_long:
            yield from _parts(rows, start, stop=end, numbers=numbers, lookback=lookback, block_rows=block_rows)
            first = end
    if first < len(rows.group):
        yield _whole_groups(rows, numbers(np.arange(first, len(rows.group))))


def _are_in_order(rows: NewRows) -> bool:
    """Whether each group is contiguous and in time order. Groups are numbered in order of appearance."""
    for first in range(0, len(rows.group) - 1, CHUNK_ROWS):
        group, order = (values[first : first + CHUNK_ROWS + 1] for values in (rows.group, rows.order))
        step = np.diff(group)
        if (step < 0).any() or (np.diff(order)[step == 0] < 0).any():
            return False
    return True


def _group_starts(rows: NewRows, numbers: Callable[[IntArray], IntArray]) -> list[int]:
    """Where each group begins among the rows in order."""
    starts = [0]
    for first in range(0, len(rows.group) - 1, CHUNK_ROWS):
        places = np.arange(first, min(first + CHUNK_ROWS + 1, len(rows.group)))
        starts += (first + 1 + np.flatnonzero(np.diff(rows.group[numbers(places)]))).tolist()
    return starts


def _whole_groups(rows: NewRows, numbers: IntArray) -> Block:
    return Block(numbers=numbers, X=np.array(rows.X[numbers]), group=np.array(rows.group[numbers]))


def _parts(
    rows: NewRows,
    start: int,
    *,
    stop: int,
    numbers: Callable[[IntArray], IntArray],
    lookback: Lookback,
    block_rows: int,
) -> Iterator[Block]:
    """The group from `start` to `stop`, part by part."""
    known, known_until = np.full(rows.X.shape[1], np.nan), 0
    n_rows = stop - start
    for begin in range(0, n_rows, block_rows):
        end, back = min(begin + block_rows, n_rows), max(begin - lookback.rows - lookback.restart_rows, 0)
        place = np.union1d(np.arange(min(lookback.start_rows, back)), np.arange(back, end))
        X = np.array(rows.X[numbers(start + place)])
        if lookback.last_known and back:
            known = _last_known(known, rows.X[numbers(start + np.arange(known_until, back))])
            known_until = back
            seam = int(np.searchsorted(place, back))
            X[seam] = np.where(np.isnan(X[seam]), known, X[seam])
        yield Block(numbers=numbers(start + np.arange(begin, end)), X=X, group=np.zeros(len(X), np.int64), place=place)


def _last_known(known: FloatArray, X: FloatArray) -> FloatArray:
    """The last value of each column of `X` that is not missing, else the one in `known`: (n_inputs,)."""
    is_there = ~np.isnan(X)
    last = len(X) - 1 - is_there[::-1].argmax(axis=0)
    return np.where(is_there.any(axis=0), X[last, np.arange(X.shape[1])], known)
