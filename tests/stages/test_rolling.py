"""Statistics of earlier rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cemai_opt.core.batch import group_starts
from cemai_opt.stages import _rolling

GROUP = np.repeat([0, 1, 2], [40, 1, 23])
STARTS = group_starts(GROUP)
PLACE = np.arange(len(GROUP)) - STARTS
X = np.random.default_rng(0).normal(size=(len(GROUP), 2)).cumsum(axis=0)


def by_group(statistic: str, **options: object) -> np.ndarray:
    """pandas' own, group by group."""
    made = [
        getattr(part.reset_index(drop=True), statistic)(**options).mean() for _, part in pd.DataFrame(X).groupby(GROUP)
    ]
    return np.vstack(made)


def test_an_exponential_mean_is_that_of_pandas() -> None:
    """With the span of pandas, unadjusted: it starts at the first row of each group."""
    made = _rolling.exponential_mean(X, STARTS, place=PLACE, rows=9)
    assert made == pytest.approx(by_group("ewm", span=9, adjust=False), abs=1e-12)


@pytest.mark.parametrize("restart", [7, 10**6])
def test_an_exponential_mean_that_restarts_forgets_almost_nothing(
    restart: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows further back than the memory weigh less than a billionth."""
    whole = _rolling.exponential_mean(X, STARTS, place=PLACE, rows=3)
    monkeypatch.setattr(_rolling, "RESTART_ROWS", restart)
    restarted = _rolling.exponential_mean(X, STARTS, place=PLACE, rows=3)
    assert restarted == pytest.approx(whole, abs=1e-7)


def test_rolling_means_stay_in_their_group() -> None:
    """With fewer rows at its start."""
    made = rolled(X, STARTS, 5)["mean"]
    assert made == pytest.approx(by_group("rolling", window=5, min_periods=1), abs=1e-12)


def test_the_mean_of_the_start_is_that_of_the_rows_so_far() -> None:
    """Until there are enough of them; then it stays."""
    made = _rolling.start_mean(X, STARTS, n_rows=4)
    for row in (0, 2, 3, 10, 39, 40, 41, 50):
        first = STARTS[row]
        assert made[row] == pytest.approx(X[first : min(row + 1, first + 4)].mean(axis=0))


ALL = ("sum", "mean", "min", "max", "range", "std", "var")


def rolled(
    values: np.ndarray, starts: np.ndarray, window: int, *, place: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """All statistics by name."""
    places = np.arange(len(values)) - starts if place is None else place
    made = [np.empty(values.shape[::-1], values.dtype) for _ in ALL]
    _rolling.rolling(values, starts, place=places, window=window, statistics=ALL, made=made)
    return {name: columns.T for name, columns in zip(ALL, made, strict=True)}


def one_by_one(values: np.ndarray, starts: np.ndarray, window: int) -> dict[str, np.ndarray]:
    """As the definitions say, each window on its own."""
    parts = [values[max(start, i - window + 1) : i + 1] for i, start in enumerate(starts)]
    made = {name: np.array([getattr(part, name)(axis=0) for part in parts]) for name in ALL if name != "range"}
    return {**made, "range": made["max"] - made["min"]}


@given(
    st.lists(st.integers(1, 150), min_size=1, max_size=6),
    st.one_of(st.integers(2, 10), st.sampled_from([63, 64, 65, 100, 128, 200, 1000])),
    st.sampled_from([1, 50, 10**6]),
    st.floats(0.0, 1.0),
)
@settings(max_examples=60, deadline=None)
def test_every_window_has_the_statistics_of_its_rows(
    sizes: list[int], window: int, together: int, share: float
) -> None:
    """However groups and windows are long, and however many values are processed together; a part of the rows with its
    history has the same results, to the last bit."""
    starts = group_starts(np.repeat(np.arange(len(sizes)), sizes))
    values = np.random.default_rng(sum(sizes)).normal(size=(len(starts), 2)).cumsum(axis=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_rolling, "CHUNK_VALUES", together)
        made = rolled(values, starts, window)
        first = int(share * (len(values) - 1))
        back = max(int(starts[first]), first - window + 1)
        place = (np.arange(len(values)) - starts)[back:]
        part = rolled(values[back:], np.maximum(starts[back:] - back, 0), window, place=place)
    for name, expected in one_by_one(values, starts, window).items():
        assert made[name] == pytest.approx(expected, rel=1e-9, abs=1e-9), name
        assert np.array_equal(part[name][first - back :], made[name][first:]), name


@pytest.mark.parametrize("window", [7, 500])
def test_a_large_offset_does_not_destroy_a_small_variance(window: int) -> None:
    """A spread of 1e-3 around 1e9, also after a step: the error is that of the values themselves."""
    values = 1e9 + 1e-3 * np.random.default_rng(0).normal(size=(2000, 1))
    values[1000:] += 1e6
    starts = np.zeros(2000, np.int64)
    made, exact = rolled(values, starts, window), one_by_one(values.astype(np.longdouble), starts, window)
    for name in ("mean", "std", "var", "range"):
        assert made[name] == pytest.approx(exact[name].astype(np.float64), rel=1e-6, abs=1e-12), name


def test_32_bits_are_computed_in_64() -> None:
    """And rounded once."""
    values, starts = (1e4 + X).astype(np.float32), STARTS
    made, exact = rolled(values, starts, 9), rolled(values.astype(np.float64), starts, 9)
    for name in ALL:
        assert made[name].dtype == np.float32
        assert np.array_equal(made[name], exact[name].astype(np.float32)), name
