"""Converts input columns to numbers, and refuses invalid ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from cemai_opt.core.batch import FloatArray
from cemai_opt.core.errors import StudyError
from cemai_opt.datasets._dates import DAY_FIRST, MONTH_FIRST, date_style, local_dates, parsed_dates, refuse_impossible
from cemai_opt.datasets._number_text import is_numeric_with_errors
from cemai_opt.datasets._schema import CODES, DATE, LOCAL, Column

MAX_LEVELS = 20
"""A text column with more distinct values than this has one input, the code of its value, which models encode."""
MANY_ROWS, ROUNDING = 1_000_000, 1e-5
"""With more rows than the first, inputs are stored in 32 bits if the rounding is below this share of their spread."""
MIN_LEVEL_ROWS = 5
"""Text with fewer rows than this for each of its values, on average, is a label or a note, not an input."""
DATE_PARTS = {"hour": "hour", "weekday": "day_of_week", "month": "month"}
"""Parts of a date that are inputs where they vary: name, and attribute in pandas."""


def is_number(values: pd.Series) -> bool:
    """Whether the column holds numbers, rather than booleans, text or dates."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


class Inputs(NamedTuple):
    """Numbers (n_rows, n_inputs), their columns, those with codes last, the names of columns left out, and notes."""

    X: FloatArray
    columns: tuple[Column, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def inputs_of(
    columns: pd.DataFrame,
    seen: np.ndarray,
    *,
    encode: bool = True,
    date_format: str | None = None,
    text: Collection[str] = (),
    clock: tuple[Column, pd.Series] | None = None,
) -> Inputs:
    """Numbers unchanged, text with few values in one-hot encoding, with many values as codes, dates by their parts.

    Everything else is left out with a note; without `encode` also text with many values, and dates. Columns in `text`
    are text, even if they look like numbers. `clock`: the time as a column of dates, with its values. StudyError if no
    column is left, or a number is infinite.
    """
    kept: list[tuple[Column, FloatArray]] = []
    left_out: list[str] = []
    notes: list[str] = []
    for name in columns.columns:
        values = columns[name]
        column, note = _input_of(values, seen, encode=encode, date_format=date_format, is_text=name in text)
        notes += [note] if note else []
        if column is None:
            left_out.append(str(name))
        else:
            kept.append((column, numbers_of(values, column)))
    if clock is not None:
        kept.append((clock[0], numbers_of(clock[1], clock[0])))
    kept.sort(key=lambda one: one[0].kind == CODES)
    if not any(numbers.shape[1] for _, numbers in kept):
        raise StudyError("no input column is left", "ignore fewer columns; text inputs need few distinct values")
    X = np.ascontiguousarray(np.hstack([numbers for _, numbers in kept]))
    refuse_infinite(X, [name for column, _ in kept for name in column.inputs])
    if len(X) > MANY_ROWS and is_exact_enough(X):
        X = X.astype(np.float32)
        notes.append(f"{len(X)} rows are stored in 32 bits, which changes no input by more than its 24th bit")
    return Inputs(X, tuple(column for column, _ in kept), tuple(left_out), tuple(notes))


def is_exact_enough(X: FloatArray) -> bool:
    """Whether in 32 bits no column loses more than `ROUNDING` of its standard deviation: (n_rows, n_columns)."""
    for values in X.T:
        spread = float(np.nanstd(values))
        if np.nanmax(np.abs(values)) * np.finfo(np.float32).eps > ROUNDING * spread:
            return False
    return True


def _input_of(
    values: pd.Series, seen: np.ndarray, *, encode: bool, date_format: str | None, is_text: bool
) -> tuple[Column | None, str]:
    """The input column of raw values, None if they are left out; and a note, if there is something to say."""
    name = str(values.name)
    if values.isna().all():
        return None, f"column {values.name!r} is left out: it has no value at all"
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return Column(name=name), ""
    if not is_text:
        refuse_nearly_numeric(values)
    if (style := date_style(values, date_format)) is not None:
        stamps = local_dates(values, style)
        refuse_impossible(values, stamps)
        stamps = stamps[seen].dropna()
        varying = [part for part, attribute in DATE_PARTS.items() if getattr(stamps.dt, attribute).nunique() > 1]
        if not encode or not varying:
            return None, f"column {name!r} is left out: dates (use --time)"
        order = {DAY_FIRST: " (day first)", MONTH_FIRST: " (month first)"}.get(style, "")
        note = f"column {name!r} is a date{order}: inputs are its {', '.join(varying)}"
        return Column(name=name, levels=tuple(varying), kind=DATE, style=style, zone=LOCAL), note
    present = values[seen].dropna()
    levels = sorted(present.astype(str).unique())
    alike = _spelled_twice(levels)
    if len(levels) <= MAX_LEVELS:
        return Column(name=name, levels=tuple(levels)), f"column {name!r}: {alike}" if alike else ""
    if not encode or len(present) < MIN_LEVEL_ROWS * len(levels):
        return None, f"column {name!r} is left out: text with {len(levels)} values"
    column = Column(name=name, levels=tuple(levels), kind=CODES)
    return column, f"column {name!r} has {len(levels)} values: models encode them{f'; {alike}' if alike else ''}"


def _spelled_twice(levels: Sequence[str]) -> str:
    """The first two levels that differ in case or blanks only, in words; empty if there are none."""
    seen: dict[str, str] = {}
    for level in levels:
        other = seen.setdefault("".join(level.casefold().split()), level)
        if other != level:
            return f"{other!r} and {level!r} count as two values, which differ in case or blanks only"
    return ""


def numbers_of(values: pd.Series, column: Column) -> FloatArray:
    """The values of a column as inputs: (n_rows, n_inputs of this column), NaN where there is none."""
    if column.levels is None:
        return values.to_numpy(np.float64, na_value=np.nan)[:, None]
    if column.kind == DATE:
        stamps = (local_dates if column.zone == LOCAL else parsed_dates)(values, column.style)
        parts = [getattr(stamps.dt, DATE_PARTS[part]).to_numpy(np.float64, na_value=np.nan) for part in column.levels]
        return np.column_stack(parts)
    text = values.astype(str).to_numpy()
    if column.kind == CODES:
        codes = pd.Index(column.levels, dtype=object).get_indexer(pd.Index(text)).astype(np.float64)
        return np.where(codes < 0.0, np.nan, codes)[:, None]
    flags = [(text == level).astype(np.float64)[:, None] for level in column.levels]
    return np.hstack(flags) if flags else np.empty((len(values), 0))


def refuse_nearly_numeric(values: pd.Series) -> None:
    """StudyError for a numeric column with a few words in it, which is an error in the file, not a text column."""
    present = values.dropna().astype(str)
    odd = pd.to_numeric(present, errors="coerce").isna()
    if is_numeric_with_errors(int(odd.sum()), len(present), n_numbers=present[~odd].nunique()):
        where = int(np.flatnonzero(odd.to_numpy())[0])
        raise StudyError(
            f"column {values.name!r} is numeric except for {int(odd.sum())} of {len(present)} values, the first "
            f"{present.iloc[where]!r}, value number {where + 1}",
            f"empty those cells, or leave the column out with --ignore {values.name}",
        )


def refuse_infinite(X: FloatArray, names: Sequence[str], *, first_row: int = 0) -> None:
    """StudyError if a number is infinite."""
    is_infinite = np.isinf(X)
    if is_infinite.any():
        row, column = np.argwhere(is_infinite)[0]
        raise StudyError(
            f"column {names[column]!r} holds {int(is_infinite[:, column].sum())} infinite values, first in row "
            f"{first_row + row}",
            "fix them, or leave the column out with --ignore",
        )
