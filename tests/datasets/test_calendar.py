"""Inputs by the clock of the time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.datasets._calendar import calendar_column
from cemai_opt.datasets._columns import numbers_of
from cemai_opt.datasets._dates import ISO
from cemai_opt.datasets._schema import DATE, LOCAL, Column


def hours(n: int, *, start: str = "2026-03-02T00:00", freq: str = "1h") -> pd.Series:
    """Successive times as text."""
    return pd.Series(pd.date_range(start, periods=n, freq=freq).strftime("%Y-%m-%dT%H:%M"), name="at")


def column_of(times: pd.Series | None, *, n_groups: int = 1, choice: str = "auto") -> tuple[Column | None, str]:
    n_rows = 0 if times is None else len(times)
    group = np.arange(n_rows) * n_groups // max(n_rows, 1)
    column, notes = calendar_column(times, np.ones(n_rows, bool), group=group, style=ISO, choice=choice)  # type: ignore[arg-type]  # a literal
    return column, " ".join(notes)


def test_a_long_series_of_hours_has_hours_and_weekdays() -> None:
    """As inputs named after the time, which is said, with the way out."""
    times = hours(24 * 20)
    column, note = column_of(times)
    assert column == Column(name="at", levels=("hour", "weekday"), kind=DATE, zone=LOCAL)
    assert column.inputs == ("at.hour", "at.weekday")
    assert "hour, weekday (--calendar never leaves them out)" in note
    assert numbers_of(times, column)[[0, 23, 24]].tolist() == [[0, 0], [23, 0], [0, 1]]


@pytest.mark.parametrize(
    ("times", "n_groups", "parts"),
    [
        (hours(24 * 10), 1, None),  # too short for weekdays
        (hours(24 * 60), 10, None),  # ten series, each of six days
        (hours(24 * 60), 2, ("hour", "weekday")),
        (hours(60, freq="1D"), 1, ("weekday",)),
        (hours(800, freq="1D"), 1, ("weekday", "month")),
        (pd.Series(np.arange(5000), name="at"), 1, None),  # numbers have no hour
        (None, 1, None),
    ],
)
def test_what_a_series_shows_enough_of_is_an_input(
    times: pd.Series | None, n_groups: int, parts: tuple[str, ...] | None
) -> None:
    """Two weeks of a typical series for hours and weekdays, two years for months."""
    column, _ = column_of(times, n_groups=n_groups)
    assert (None if column is None else column.levels) == parts


def test_it_is_the_users_choice() -> None:
    """Always what varies, or never; of numbers there is no hour."""
    column, _ = column_of(hours(30), choice="always")
    assert column is not None
    assert column.levels == ("hour", "weekday")
    assert column_of(hours(24 * 20), choice="never") == (None, "")
    with pytest.raises(StudyError, match="numbers, which have no hour"):
        column_of(pd.Series([1.0, 2.0], name="at"), choice="always")
