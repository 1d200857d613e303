"""Parts rows that need not fit into memory into blocks, each with as much of its past as a pipeline looks at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.datasets import NewRows
from cemai_opt.stages import Reach


@dataclass(frozen=True)
class Block:
    """Rows to predict at once: `X` (n, n_inputs); `group` (n,); `place` (n,) as in a batch, None for whole groups.

    `numbers`: (n_wanted,) of the last rows of `X` in their file; the rows before them are their past.
    """

    numbers: IntArray
    X: FloatArray
    group: IntArray
    place: IntArray | None = None


def blocks(rows: NewRows, reach: Reach, block_rows: int) -> Iterator[Block]:
    """Each row in one block: several whole groups together, or a part of a long one. `X` is read from disk by block."""
    by_group = np.lexsort((rows.order, rows.group))
    starts = np.flatnonzero(np.r_[True, np.diff(rows.group[by_group]) != 0])
    ends = np.r_[starts[1:], len(by_group)]
    first = 0
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        is_long = end - start > block_rows
        if first < start and (is_long or end - first > block_rows):
            yield _whole_groups(rows, by_group[first:start])
            first = start
        if is_long:
            yield from _parts(rows, by_group[start:end], reach, block_rows)
            first = end
    if first < len(by_group):
        yield _whole_groups(rows, by_group[first:])


def _whole_groups(rows: NewRows, numbers: IntArray) -> Block:
    return Block(numbers, np.array(rows.X[numbers]), rows.group[numbers])


def _parts(rows: NewRows, numbers: IntArray, reach: Reach, block_rows: int) -> Iterator[Block]:
    """One group, part by part."""
    known, known_until = np.full(rows.X.shape[1], np.nan), 0
    for begin in range(0, len(numbers), block_rows):
        end, back = min(begin + block_rows, len(numbers)), max(begin - reach.rows - reach.anew_rows, 0)
        place = np.union1d(np.arange(min(reach.start_rows, back)), np.arange(back, end))
        X = np.array(rows.X[numbers[place]])
        if reach.last_known and back:
            known = _last_known(known, rows.X[numbers[known_until:back]])
            known_until = back
            seam = int(np.searchsorted(place, back))
            X[seam] = np.where(np.isnan(X[seam]), known, X[seam])
        yield Block(numbers[begin:end], X, np.zeros(len(X), np.int64), place)


def _last_known(known: FloatArray, X: FloatArray) -> FloatArray:
    """The last value of each column of `X` that is there, else the one known before: (n_inputs,)."""
    is_there = ~np.isnan(X)
    last = len(X) - 1 - is_there[::-1].argmax(axis=0)
    return np.where(is_there.any(axis=0), X[last, np.arange(X.shape[1])], known)
