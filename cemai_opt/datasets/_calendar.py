"""Hour, weekday and month of the time as inputs: what people and machines do by the clock."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from cemai_opt.core.batch import IntArray
from cemai_opt.core.errors import StudyError
from cemai_opt.datasets._columns import DATE_PARTS, is_number
from cemai_opt.datasets._dates import local_dates
from cemai_opt.datasets._schema import DATE, LOCAL, Column

Calendar = Literal["auto", "always", "never"]
SECONDS_PER_DAY = 86400.0
MIN_DAYS, MIN_DAYS_OF_MONTHS = 14.0, 730.0
"""Days that a typical series spans if weekdays and hours, or months, are to be learned from it."""


def calendar_column(
    times: pd.Series | None, seen: np.ndarray, *, group: IntArray, style: str, choice: Calendar
) -> tuple[Column | None, tuple[str, ...]]:
    """The column of the time as inputs, None if it has none, and a note.

    `seen`: (n_rows,), rows that are no test rows. "auto" needs dates, and series of two weeks or more. StudyError if
    "always" is asked for and the time holds no dates.
    """
    if times is None or choice == "never":
        return None, ()
    if is_number(times):
        if choice == "always":
            raise StudyError(f"time column {times.name!r} holds numbers, which have no hour", "leave --calendar out")
        return None, ()
    stamps = local_dates(times, style)
    parts = _varying(stamps[seen], group[seen], choice=choice)
    if not parts:
        return None, ()
    note = f"inputs by the clock of {times.name!r}: {', '.join(parts)} (--calendar never leaves them out)"
    return Column(name=str(times.name), levels=parts, kind=DATE, style=style, zone=LOCAL), (note,)


def _varying(stamps: pd.Series, group: IntArray, *, choice: Calendar) -> tuple[str, ...]:
    """The parts that vary within series, and of which a typical series shows enough."""
    by_group = stamps.groupby(group)
    days = float((by_group.max() - by_group.min()).dt.total_seconds().median()) / SECONDS_PER_DAY
    least = {"hour": MIN_DAYS, "weekday": MIN_DAYS, "month": MIN_DAYS_OF_MONTHS}
    return tuple(
        part
        for part, attribute in DATE_PARTS.items()
        if (choice == "always" or days >= least[part]) and getattr(stamps.dt, attribute).nunique() > 1
    )
