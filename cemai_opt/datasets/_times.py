"""The times by which rows are ordered, without loss: 64-bit numbers and nanoseconds stay apart."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.datasets._columns import is_number
from cemai_opt.datasets._dates import ISO, date_style, parsed_dates

MAX_WHOLE = 2.0**63
Moments = tuple[IntArray, FloatArray]
"""Whole part and rest of each row's time: whole numbers and fractions, or seconds and nanoseconds."""


def time_parts(time: str | None, columns: list[str]) -> tuple[str, ...]:
    """The columns of a time in several: `Date,Time`; empty if it is in one. StudyError if one is missing."""
    if time is None or time in columns or "," not in time:
        return ()
    parts = tuple(part.strip() for part in time.split(","))
    for part in parts:
        if part not in columns:
            raise StudyError(f"time column {part!r} is not in the data", nearest(part, columns))
    return parts


def times_of(rows: pd.DataFrame, columns: tuple[str, ...]) -> pd.Series | None:
    """The time of each row: that of its column, or the text of several; None without a column."""
    if not columns:
        return None
    first, *others = (rows[column] for column in columns)
    if not others:
        return first
    joined = _as_text(first)
    for other in others:
        joined = joined + " " + _as_text(other)
    return joined.rename(",".join(columns))


def time_style(values: pd.Series | None, date_format: str | None) -> str:
    """How the moments are written: a style of `_dates.py`, of no importance if they are numbers."""
    if values is None or is_number(values):
        return ISO
    return date_style(values, date_format) or ISO


def moments_of(values: pd.Series | None, n_rows: int, *, style: str = ISO, first_row: int = 0) -> Moments:
    """Whole part and rest of every row's time, each (n_rows,); without a time the number of the row.

    StudyError if a time cannot be read.
    """
    nothing = np.zeros(n_rows)
    if values is None:
        return np.arange(first_row, first_row + n_rows, dtype=np.int64), nothing
    if pd.api.types.is_integer_dtype(values) and not values.isna().any() and values.max() < MAX_WHOLE:
        return values.to_numpy(np.int64), nothing
    if is_number(values):
        numbers = values.to_numpy(np.float64, na_value=np.nan)
        _check(np.isfinite(numbers) & (np.abs(numbers) < MAX_WHOLE), values, first_row=first_row)
        whole = np.floor(numbers)
        return whole.astype(np.int64), numbers - whole
    stamps = parsed_dates(values, style)
    _check(stamps.notna().to_numpy(), values, first_row=first_row)
    moments = stamps.dt.tz_localize(None).to_numpy()
    seconds = moments.astype("datetime64[s]")
    return seconds.astype(np.int64), (moments - seconds).astype("timedelta64[ns]").astype(np.float64)


def ranks_of(moments: Moments) -> FloatArray:
    """The rank of each moment among all, the same for equal ones: (n_rows,). Exact, unlike the moments as floats."""
    whole, rest = moments
    if not rest.any():
        return np.unique(whole, return_inverse=True)[1].astype(np.float64)
    order = np.lexsort((rest, whole))
    is_later = np.ones(len(order), bool)
    is_later[1:] = (np.diff(whole[order]) != 0) | (np.diff(rest[order]) != 0)
    ranks = np.empty(len(order))
    ranks[order] = np.cumsum(is_later) - 1
    return ranks


def _check(is_read: np.ndarray, values: pd.Series, *, first_row: int) -> None:
    if not is_read.all():
        line = int(np.flatnonzero(~is_read)[0])
        raise StudyError(
            f"time column {values.name!r}: cannot read {_shown(values.iloc[line])} in row {first_row + line} as a "
            "number or a date",
            "use numbers, ISO 8601 dates (2026-01-31 12:00), dates with dots (31.01.2026), or give --date-format",
        )


def _shown(value: object) -> str:
    is_empty = value is None or (isinstance(value, float) and math.isnan(value))
    return "an empty cell" if is_empty else repr(str(value))


def _as_text(values: pd.Series) -> pd.Series:
    if is_number(values) and not pd.api.types.is_integer_dtype(values):
        raise StudyError(f"time column {values.name!r} holds numbers with fractions", "give one column with --time")
    if pd.api.types.is_datetime64_any_dtype(values):
        return pd.Series(values.dt.strftime("%Y-%m-%d"))
    return values.where(values.isna(), values.astype(str)).astype(object)
