"""Whether rows without group and time have an order that means something."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cemai_opt.core.batch import FloatArray
from cemai_opt.datasets import DATE, Column, Dataset, Schema
from cemai_opt.pipeline.row_order import MIN_ROWS, has_order, is_series

N_ROWS = 400


def table(X: FloatArray, y: FloatArray, **more: object) -> Dataset:
    """Rows in one group."""
    n, names = len(y), tuple(f"x{i}" for i in range(X.shape[1]))
    return Dataset(
        X=X,
        y=y,
        group=np.zeros(n, int),
        order=np.arange(float(n)),
        is_test=np.zeros(n, bool),
        names=names,
        group_names=("",),
        task="regression",
        **more,  # type: ignore[arg-type]  # its fields
    )


def independent(seed: int, n_rows: int = N_ROWS) -> Dataset:
    """Independent rows: numbers with outliers, flags that are mostly 0, missing values, one input that never varies."""
    rng = np.random.default_rng(seed)
    flags, numbers = rng.random((n_rows, 10)) < 0.02, rng.lognormal(0.0, 2.0, (n_rows, 5))
    numbers[rng.random(numbers.shape) < 0.2] = np.nan
    return table(np.column_stack([flags, numbers, np.ones(n_rows)]), rng.standard_normal(n_rows))


def test_independent_rows_have_none() -> None:
    """One table of a hundred may be taken for a series by chance, which only costs features that say nothing."""
    assert sum(has_order(independent(seed)) for seed in range(100)) <= 3


def noise(*shape: int) -> FloatArray:
    """Normal values."""
    drawn: FloatArray = np.random.default_rng(0).standard_normal(shape)
    return drawn


def walk(weight: float) -> FloatArray:
    """Each value is this share of the one before, plus noise."""
    values = noise(N_ROWS)
    for i in range(1, N_ROWS):
        values[i] += weight * values[i - 1]
    return values


ORDERED = {
    "an input depends on the row before": table(np.column_stack([walk(0.5), noise(N_ROWS, 4)]), noise(5, N_ROWS)[4]),
    "the target depends on an input seven rows before": table(
        noise(N_ROWS, 3), np.roll(noise(N_ROWS, 3)[:, 1], 7) + 0.5 * noise(9, N_ROWS)[8]
    ),
    "the target drifts": table(noise(N_ROWS, 3), noise(7, N_ROWS)[6] + np.linspace(0.0, 2.0, N_ROWS)),
    "rows are sorted by their class": table(noise(N_ROWS, 3), np.repeat([0.0, 1.0, 2.0, 3.0], N_ROWS // 4)),
    "an input has a period": table(np.column_stack([np.sin(np.pi / 2 * np.arange(N_ROWS)), noise(N_ROWS)]), walk(0.0)),
}


@pytest.mark.parametrize("what", ORDERED)
def test_order_is_seen(what: str) -> None:
    """In the target, in an input, or between them; not if the same rows are shuffled."""
    data = ORDERED[what]
    assert has_order(data)
    places = np.random.default_rng(1).permutation(N_ROWS)
    assert not has_order(replace(data, X=data.X[places], y=data.y[places]))


def test_where_nothing_can_be_seen_the_order_counts() -> None:
    """With few rows, or a target that is nearly always the same."""
    assert has_order(independent(0, n_rows=MIN_ROWS - 1))
    assert not has_order(independent(0, n_rows=MIN_ROWS))
    assert has_order(table(np.zeros((N_ROWS, 1)), np.zeros(N_ROWS)))


def test_dates_and_values_to_be_forecast_make_a_series() -> None:
    """Whatever their order looks like."""
    assert not is_series(independent(0))
    assert is_series(replace(independent(0), horizon=3))
    assert is_series(replace(independent(0), schema=Schema(columns=(Column(name="day", kind=DATE),))))


def test_test_rows_and_rows_without_a_target_are_left_out() -> None:
    """Test rows are often sorted, or later ones."""
    data = independent(0)
    is_test = np.arange(N_ROWS) >= N_ROWS // 2
    y = np.where(is_test, np.arange(N_ROWS) + 100.0, data.y)
    assert has_order(replace(data, y=y))
    assert not has_order(replace(data, y=y, is_test=is_test))
    assert not has_order(replace(data, y=np.where(is_test, np.nan, y)))
