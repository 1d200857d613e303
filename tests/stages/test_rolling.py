"""Statistics of earlier rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

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
    ((name, made),) = _rolling.rolling(X, STARTS, place=PLACE, window=5, statistics=("mean",))
    assert name == "mean_5"
    assert made == pytest.approx(by_group("rolling", window=5, min_periods=1), abs=1e-12)


def test_the_mean_of_the_start_is_that_of_the_rows_so_far() -> None:
    """Until there are enough of them; then it stays."""
    made = _rolling.start_mean(X, STARTS, n_rows=4)
    for row in (0, 2, 3, 10, 39, 40, 41, 50):
        first = STARTS[row]
        assert made[row] == pytest.approx(X[first : min(row + 1, first + 4)].mean(axis=0))
