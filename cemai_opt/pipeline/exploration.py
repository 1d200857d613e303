"""The part of many rows that the trials of a search run on: stretches of its groups, or of its time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cemai_opt.core.batch import BoolArray, IntArray
from cemai_opt.core.study import ResolvedSplit, SplitSpec
from cemai_opt.datasets import Dataset

EXPLORE_ROWS = 200_000
"""Enough for a score that ranks pipelines, at a twenty-fifth of the Broaching data; docs/decisions/large_data.md."""
MANY_ROWS = 1_000_000
"""With fewer rows, trials run on all of them."""
MIN_STRETCH = 4096
"""Rows of a stretch, so that long windows have their history."""
STRETCHES = 32
"""Stretches of a single group."""


def explore_rows(spec: SplitSpec, n_rows: int) -> int:
    """The number of rows that trials run on, 0 for all of `n_rows`."""
    wanted = (EXPLORE_ROWS if n_rows > MANY_ROWS else 0) if spec.explore_rows is None else spec.explore_rows
    return wanted if wanted < n_rows else 0


def explored_rows(
    data: Dataset,
    spec: ResolvedSplit,
    *,
    rows: BoolArray,
    folds: Sequence[tuple[BoolArray, BoolArray]],
    seed: int,
) -> BoolArray | None:
    """About `spec.explore_rows` of `rows`, (n_rows,): as many groups as possible, a stretch in row order of each.

    `folds`: masks of training and evaluation rows. None for all rows: if so few are enough, or if a fold would be left
    without rows, or without a class that it has.
    """
    if not spec.explore_rows or rows.sum() <= spec.explore_rows:
        return None
    rng = np.random.default_rng([seed, spec.explore_rows])
    chosen = np.zeros(len(rows), bool)
    if spec.by == "rows" and not data.has_groups:
        numbers = np.flatnonzero(rows)
        chosen[rng.choice(numbers, spec.explore_rows, replace=False)] = True
    else:
        for stretch in _stretches(data.group, rows, n_rows=spec.explore_rows, rng=rng):
            chosen[stretch] = True
    for is_train, is_eval in folds:
        for part in (is_train, is_eval):
            if not (part & chosen).any() or (data.classes and _lacks_a_class(data, part, chosen=chosen)):
                return None
    return chosen


def _stretches(group: IntArray, rows: BoolArray, *, n_rows: int, rng: np.random.Generator) -> list[IntArray]:
    """Row numbers of stretches, `n_rows` in all or a few less than one stretch more."""
    numbers = np.flatnonzero(rows)
    edges = np.flatnonzero(np.diff(group[numbers])) + 1
    parts = np.split(numbers, edges)
    if len(parts) < STRETCHES:
        n_each = -(-STRETCHES // len(parts))
        parts = [piece for part in parts for piece in np.array_split(part, n_each)]
    size = max(MIN_STRETCH, -(-n_rows // len(parts)))
    found: list[IntArray] = []
    n_found = 0
    for i in rng.permutation(len(parts)):
        if n_found >= n_rows:
            break
        begin = int(rng.integers(max(len(parts[i]) - size, 0) + 1))
        found.append(parts[i][begin : begin + size])
        n_found += len(found[-1])
    return found


def _lacks_a_class(data: Dataset, part: BoolArray, *, chosen: BoolArray) -> bool:
    return len(np.unique(data.y[part & chosen])) < len(np.unique(data.y[part]))
