"""Dates as machines, spreadsheets and people write them."""

from __future__ import annotations

import pandas as pd
import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.datasets._dates import (
    DAY_FIRST,
    ISO,
    MONTH_FIRST,
    date_style,
    local_dates,
    parsed_dates,
    refuse_impossible,
)

DAYS = pd.Series(pd.date_range("2026-01-05 13:30", periods=40, freq="36h", tz="UTC"), name="at")


@pytest.mark.parametrize(
    ("written", "style"),
    [
        ("%Y-%m-%d %H:%M", ISO),
        ("%Y-%m-%dT%H:%M:%S", ISO),
        ("%Y-%m-%d %I:%M %p", ISO),
        ("%d.%m.%Y %H:%M", DAY_FIRST),
        ("%d/%m/%Y %H:%M", DAY_FIRST),
        ("%-d-%-m-%Y %H:%M", DAY_FIRST),
        ("%m.%d.%Y %H:%M", MONTH_FIRST),
        ("%m/%d/%Y %H:%M", MONTH_FIRST),
        ("%-m/%-d/%Y %H:%M", MONTH_FIRST),
    ],
)
def test_a_column_shows_what_comes_first(written: str, style: str) -> None:
    """Some day is above 12; every moment is read as it was written, a missing one stays missing."""
    text = DAYS.dt.strftime(written)
    text[3] = None
    assert date_style(text, None) == style
    wanted = DAYS.where(text.notna())
    assert parsed_dates(text, style).equals(wanted.astype(parsed_dates(text, style).dtype))


def test_what_cannot_be_told_is_an_error_that_names_the_option() -> None:
    """Slashes and days up to 12 only, or both orders in one column; dots have the day first."""
    for text in (["03/04/2026", "05/06/2026"], ["31/01/2026", "01/31/2026"]):
        with pytest.raises(StudyError, match=r"the day .*--date-format"):
            date_style(pd.Series(text, name="at"), None)
    assert date_style(pd.Series(["03.04.2026"]), None) == DAY_FIRST
    assert date_style(pd.Series(["03/04/2026"]), "%m/%d/%Y") == "%m/%d/%Y"
    assert parsed_dates(pd.Series(["03/04/2026"]), "%m/%d/%Y")[0] == pd.Timestamp("2026-03-04", tz="UTC")


@pytest.mark.parametrize("text", ["4-5-6-seven", "steel", "1.2.3", "192.168.1.1", "12:30", "2026"])
def test_other_text_is_no_date(text: str) -> None:
    """Versions, addresses and times of day neither."""
    assert date_style(pd.Series([text]), None) is None


@pytest.mark.parametrize("text", ["2026-02-30", "31.02.2026", "2026-13-45"])
def test_an_impossible_date_is_named_with_its_row(text: str) -> None:
    """It does not turn the column into text."""
    values = pd.Series(["2026-01-01" if "-" in text else "01.01.2026", text], name="at")
    style = date_style(values, None)
    assert style is not None
    with pytest.raises(StudyError, match=f"'{text}' in row 1 is no date"):
        refuse_impossible(values, parsed_dates(values, style))


def test_a_clock_shows_the_time_as_it_is_written() -> None:
    """Whatever its offset from UTC, as text or as a type; a date alone has no offset."""
    texts = ["2026-07-01T08:30+02:00", "2026-01-01T08:30:00.5+01:00", "2026-01-01 08:30Z", "2026-01-01 08:30 -0500"]
    for text in texts:
        (stamp,) = local_dates(pd.Series([text], name="at"), ISO)
        assert (stamp.hour, stamp.minute, stamp.tzinfo) == (8, 30, None)
        (typed,) = local_dates(pd.Series(pd.to_datetime([text]), name="at"), ISO)
        assert (typed.hour, typed.tzinfo) == (8, None)
    (day,) = local_dates(pd.Series(["2026-01-31"], name="at"), ISO)
    assert (day.day, day.hour) == (31, 0)
