"""Rows are split into blocks with the earlier rows that they need."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.datasets import NewRows
from cemai_opt.deploy.blocks import blocks
from cemai_opt.stages import Lookback


def rows_of(lengths: list[int], shuffled: int | None = None) -> NewRows:
    """Groups of these lengths; the two values of a row are its group and its place in the group."""
    group = np.repeat(np.arange(len(lengths)), lengths)
    place = np.concatenate([np.arange(length) for length in lengths])
    index = np.arange(len(group)) if shuffled is None else np.random.default_rng(shuffled).permutation(len(group))
    X = np.column_stack([group, place]).astype(float)[index]
    return NewRows(X=X, group=group[index], order=place[index].astype(float))


@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=6),
    st.integers(1, 20),
    st.builds(Lookback, rows=st.integers(0, 5), start_rows=st.integers(0, 3), restart_rows=st.integers(0, 2)),
    st.sampled_from([None, 1, 2]),
)
def test_each_row_is_wanted_once_after_its_history(
    lengths: list[int], block_rows: int, lookback: Lookback, shuffled: int | None
) -> None:
    """In a file of any order: rows of a group in time order, none missing between, the start of the group with them."""
    rows = rows_of(lengths, shuffled)
    wanted: list[int] = []
    for block in blocks(rows, lookback, block_rows=block_rows):
        n = len(block.numbers)
        wanted += block.numbers.tolist()
        assert n <= max(block_rows, max(lengths) if block.place is None else 0)
        assert np.array_equal(block.X[len(block.X) - n :], rows.X[block.numbers])
        if block.place is None:
            assert len(block.X) == n
            assert all(np.array_equal(np.sort(p), np.arange(lengths[int(g)])) for g, p in _places(block.X).items())
        else:
            (place,) = _places(block.X).values()
            assert np.array_equal(place, block.place)
            first = len(block.X) - n
            begin = place[first]
            near = np.arange(max(begin - lookback.rows - lookback.restart_rows, 0), begin)
            start = np.arange(min(lookback.start_rows, begin))
            assert set(near) | set(start) == set(place[:first])
    assert sorted(wanted) == list(range(sum(lengths)))


def test_short_groups_share_a_block() -> None:
    """As many as fit; a long one is split."""
    sizes = [len(block.numbers) for block in blocks(rows_of([3, 3, 3, 9, 2]), Lookback(), block_rows=6)]
    assert sizes == [6, 3, 6, 3, 2]


def test_the_last_known_value_comes_along_at_any_distance() -> None:
    """In the first row of a part, where it is missing: the latest one, of that column."""
    X = np.full((10, 2), np.nan)
    X[0, 0], X[3, 1], X[7, 1] = 5.0, 6.0, 7.0
    rows = NewRows(X=X, group=np.zeros(10, np.int64), order=np.arange(10.0))
    parts = list(blocks(rows, Lookback(last_known=True), block_rows=2))
    assert [part.X[0].tolist() for part in parts[2:]] == [[5.0, 6.0], [5.0, 6.0], [5.0, 7.0]]
    assert np.isnan([part.X[0, 0] for part in blocks(rows, Lookback(), block_rows=2)][2])


def _places(X: np.ndarray) -> dict[float, np.ndarray]:
    """The places of the rows of each group in a block."""
    return {group: X[X[:, 0] == group, 1] for group in np.unique(X[:, 0])}
