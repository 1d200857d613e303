"""Dates in text: the order of day and month, which a column shows or the user says, and their conversion."""

from __future__ import annotations

import pandas as pd

from cemai_opt.core.errors import StudyError

ISO, DAY_FIRST, MONTH_FIRST = "iso", "day_first", "month_first"
"""Styles of dates: 2026-01-31, 31.01.2026, 01.31.2026; any other text is a format as of `datetime.strptime`."""
ISO_DATE = r"\s*\d{4}-\d{1,2}-\d{1,2}([T ].*)?"
NUMBERED = r"\s*(\d{1,2})([./-])(\d{1,2})[./-](\d{4})(.*)"
"""Two numbers and a year: day and month, or month and day."""
WITH_OFFSET = r"^(.*\d:\d\d.*?)\s*(?:Z|[+-]\d\d(?::?\d\d)?)$"
"""A time with its offset from UTC."""


def date_style(values: pd.Series, date_format: str | None) -> str | None:
    """The style of the dates in a column; None if it holds none. StudyError if day and month cannot be told apart.

    With dots the day comes first, unless a value shows the contrary.
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        return ISO
    text = values.dropna().astype(str)
    if text.empty:
        return None
    if date_format is not None and pd.to_datetime(text.iloc[:1], format=date_format, errors="coerce").notna().all():
        return date_format
    if text.str.fullmatch(ISO_DATE).all():
        return ISO
    if not text.str.fullmatch(NUMBERED).all():
        return None
    parts = text.str.extract(NUMBERED)
    first, second = parts[0].astype(int), parts[2].astype(int)
    is_day, is_month = bool((first > 12).any()), bool((second > 12).any())
    if is_day != is_month:
        return DAY_FIRST if is_day else MONTH_FIRST
    if not is_day and (parts[1] == ".").all():
        return DAY_FIRST
    why = "has the day first in some rows, the month in others" if is_day else "may have the day or the month first"
    raise StudyError(
        f"column {values.name!r} {why}, such as {text.iloc[0]!r}",
        f"give --date-format, such as %d/%m/%Y, or leave it out with --ignore {values.name}",
    )


def parsed_dates(values: pd.Series, style: str) -> pd.Series:
    """Moments in UTC; NaT for what is no date in this style."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return pd.to_datetime(values, utc=True)
    text = values.where(values.isna(), values.astype(str)).astype(object)
    if style in (DAY_FIRST, MONTH_FIRST):
        year_month_day = r"\4-\3-\1\5" if style == DAY_FIRST else r"\4-\1-\3\5"
        text = text.str.replace(rf"^{NUMBERED}$", year_month_day, regex=True)
        text = text.str.replace(r"-(\d)(?=\D|$)", r"-0\1", n=2, regex=True)
    if style in (DAY_FIRST, MONTH_FIRST, ISO):
        stamps = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=True)
        if stamps[text.notna()].isna().any():  # such as 1:05 PM; the year comes first, so nothing is guessed
            is_whole = text.str.match(r"\s*\d{4}-\d{2}-\d{2}", na=False).astype(bool)
            stamps = pd.to_datetime(text.where(is_whole), format="mixed", errors="coerce", utc=True)
        return stamps
    return pd.to_datetime(text, format=style, errors="coerce", utc=True)


def local_dates(values: pd.Series, style: str) -> pd.Series:
    """Dates by the clock by which they are written: without their offset from UTC, where they have one."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return pd.Series(values.dt.tz_localize(None))
    text = values.where(values.isna(), values.astype(str)).astype(object)
    return pd.Series(parsed_dates(text.str.replace(WITH_OFFSET, r"\1", regex=True), style).dt.tz_localize(None))


def refuse_impossible(values: pd.Series, stamps: pd.Series) -> None:
    """StudyError if a value is no date, such as the 31st of February."""
    odd = (values.notna() & stamps.isna()).to_numpy()
    if odd.any():
        row = int(odd.argmax())
        raise StudyError(
            f"column {values.name!r}: {str(values.iloc[row])!r} in row {row} is no date",
            "correct it, or give --date-format",
        )
