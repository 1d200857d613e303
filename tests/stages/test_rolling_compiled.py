"""Compiled rolling statistics are those of NumPy."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cemai_opt.core.batch import group_starts
from cemai_opt.stages import _rolling, _rolling_compiled
from cemai_opt.stages.featurize import Featurize

FLOAT32 = np.dtype(np.float32)
ALL = ("sum", "mean", "min", "max", "range", "std", "var")


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    pytest.importorskip("numba")
    assert _rolling_compiled.load(FLOAT32)


def rolled(X: np.ndarray, starts: np.ndarray, place: np.ndarray, *, window: int, is_compiled: bool) -> np.ndarray:
    """All statistics (n_statistics, n_columns, n_rows); NaN where nothing was written."""
    made = np.full((len(ALL), X.shape[1], len(X)), np.nan, X.dtype)
    with pytest.MonkeyPatch.context() as patch:
        if not is_compiled:
            patch.setattr(_rolling_compiled, "is_loaded", lambda dtype: False)
        _rolling.rolling(X, starts, place=place, window=window, statistics=ALL, made=list(made))
    return made


@given(
    st.lists(st.one_of(st.integers(1, 150), st.integers(1000, 1200)), min_size=1, max_size=6),
    st.one_of(st.integers(2, 10), st.sampled_from([63, 64, 65, 100, 128, 200, 1000])),
    st.floats(0.0, 1.0),
    st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_they_are_the_same_to_the_last_bit(sizes: list[int], window: int, share: float, is_by_column: bool) -> None:
    """Of groups and windows of any length, of rows that begin inside a group, however the values lie in memory."""
    assert_same(sizes, window=window, share=share, is_by_column=is_by_column)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 0.45, 0.7])
@pytest.mark.parametrize("window", [1024, 1025, 2500, 6000])
def test_blocks_of_more_rows_than_a_tile(window: int, share: float) -> None:
    """They are finished piece by piece, also where the first rows are not there."""
    assert_same([2600, 7000, 40, 3000], window=window, share=share, is_by_column=False)


def assert_same(sizes: list[int], *, window: int, share: float, is_by_column: bool) -> None:
    """Both ways give the same for groups of these sizes, without the first `share` of their rows."""
    starts = group_starts(np.repeat(np.arange(len(sizes)), sizes))
    X = (1e3 + np.random.default_rng(sum(sizes)).normal(size=(len(starts), 3)).cumsum(axis=0)).astype(np.float32)
    back = int(share * (len(X) - 1))
    own, place = np.maximum(starts[back:] - back, 0), (np.arange(len(X)) - starts)[back:]
    values = np.asfortranarray(X[back:]) if is_by_column else X[back:]
    values.flags.writeable = False  # as memory-mapped data
    compiled, by_numpy = (rolled(values, own, place, window=window, is_compiled=it) for it in (True, False))
    assert not np.isnan(by_numpy).any()
    for name, one, other in zip(ALL, compiled, by_numpy, strict=True):
        assert np.array_equal(one, other), name


def test_only_what_is_asked_for_is_written() -> None:
    """The mean alone, say."""
    X, starts = np.arange(8.0, dtype=np.float32).reshape(4, 2), np.zeros(4, np.int64)
    made = np.empty((2, 4), np.float32)
    _rolling.rolling(X, starts, place=np.arange(4), window=2, statistics=("mean",), made=[made])
    assert made.T.tolist() == [[0.0, 1.0], [1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]


def test_numba_is_loaded_for_many_values_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small data set would not repay it."""
    loaded: list[np.dtype] = []
    monkeypatch.setattr(_rolling_compiled, "load", loaded.append)
    Featurize.load_for(np.zeros((1000, 6)))
    assert loaded == []
    Featurize.load_for(np.zeros((_rolling_compiled.WORTHWHILE_VALUES, 1), np.float32))
    assert loaded == [FLOAT32]


def test_without_numba_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy does the same."""
    monkeypatch.setitem(sys.modules, "numba", None)
    assert not _rolling_compiled.load(np.dtype(np.float64))
    assert not _rolling_compiled.is_loaded(np.dtype(np.float64))


def test_without_a_folder_for_what_is_compiled_nothing_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every process would compile it anew."""
    import numba

    def refused(*args: object, **options: object) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(numba, "njit", refused)
    assert not _rolling_compiled.load(np.dtype(np.float64))
    assert not _rolling_compiled.is_loaded(np.dtype(np.float64))
