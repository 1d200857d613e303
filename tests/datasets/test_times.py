"""The order of rows in time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.datasets._times import moments_of, ranks_of, time_parts, time_style, times_of


def ranks(values: list[object], style: str = "iso") -> list[float]:
    """The ranks of moments."""
    return ranks_of(moments_of(pd.Series(values, name="t"), len(values), style=style)).tolist()


@pytest.mark.parametrize(
    "values",
    [
        [2**53 + 1, 2**53, 2**53 + 2],
        [1.5, 1.25, 1.75],
        [-0.5, -1.5, 0.5],
        ["2026-01-01 00:00:00.000000002", "2026-01-01 00:00:00.000000001", "2026-01-01 00:00:00.000000003"],
        ["2300-01-01", "1600-01-01", "2300-01-02"],
        [np.datetime64("2026-01-02"), np.datetime64("2026-01-01"), np.datetime64("2026-01-03")],
    ],
)
def test_no_digit_is_lost(values: list[object]) -> None:
    """Whole numbers above 2^53, nanoseconds, fractions, far dates."""
    assert ranks(values) == [1.0, 0.0, 2.0]


def test_equal_moments_have_one_rank() -> None:
    """No cut in time separates them."""
    assert ranks([2.5, 1.0, 2.5]) == [1.0, 0.0, 1.0]
    assert ranks_of(moments_of(None, 3)).tolist() == [0.0, 1.0, 2.0]
    assert moments_of(None, 2, first_row=5)[0].tolist() == [5, 6]


def test_date_and_time_may_be_in_two_columns() -> None:
    """As text or as numbers; a column of that very name comes first."""
    rows = pd.DataFrame({"Date": ["02.01.2026", "01.01.2026"], "Time": ["08:00", "09:30"], "y": [1, 2]})
    parts = time_parts("Date,Time", list(rows.columns))
    assert parts == ("Date", "Time")
    times = times_of(rows, parts)
    assert times is not None
    assert times.tolist() == ["02.01.2026 08:00", "01.01.2026 09:30"]
    assert ranks_of(moments_of(times, 2, style=time_style(times, None))).tolist() == [1.0, 0.0]
    assert time_parts("Date,Time", ["Date,Time"]) == ()
    assert time_parts(None, ["a"]) == ()
    with pytest.raises(StudyError, match="time column 'Tome'"):
        time_parts("Date,Tome", list(rows.columns))
    with pytest.raises(StudyError, match="holds numbers with fractions"):
        times_of(rows.assign(Time=[8.5, 9.5]), parts)


@pytest.mark.parametrize("value", [None, "soon", float("inf"), "31.02.2026"])
def test_a_moment_that_cannot_be_read_is_named_with_its_row(value: object) -> None:
    """As the file counts, if it is read in pieces."""
    values = pd.Series([1.0, value] if isinstance(value, float) else ["01.02.2026", value], name="t")
    with pytest.raises(StudyError, match=r"time column 't': cannot read .* in row 11"):
        moments_of(values, 2, style=time_style(values, None) if value != "soon" else "day_first", first_row=10)
