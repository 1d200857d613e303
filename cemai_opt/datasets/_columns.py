"""Converts input columns to numbers, and refuses invalid ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cemai_opt.core.batch import FloatArray
from cemai_opt.core.errors import StudyError
from cemai_opt.datasets._schema import Column

MAX_LEVELS = 20
"""A text column with more distinct values than this is a label or a note, not an input."""
NEARLY_NUMERIC = 0.5
"""A text column in which at most this share of values are not numbers is considered a numeric column with errors."""


def is_number(values: pd.Series) -> bool:
    """Whether the column holds numbers, rather than booleans, text or dates."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def inputs_of(
    columns: pd.DataFrame, seen: np.ndarray
) -> tuple[FloatArray, tuple[Column, ...], tuple[str, ...], tuple[str, ...]]:
    """Numeric columns unchanged, text with few values in one-hot encoding, everything else left out with a note.

    Returns the numbers (n_rows, n_inputs), the columns, the names of columns left out, and notes on them.
    """
    parts: list[FloatArray] = []
    kept: list[Column] = []
    left_out: list[str] = []
    notes: list[str] = []
    for name in columns.columns:
        values = columns[name]
        if values.isna().all():
            raise StudyError(f"column {name!r} has no value at all", f"leave it out with --ignore {name}")
        if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            kept.append(Column(str(name)))
            parts.append(numbers_of(values, kept[-1]))
            continue
        refuse_nearly_numeric(values)
        levels = sorted(values[seen].dropna().astype(str).unique())
        if len(levels) > MAX_LEVELS or pd.api.types.is_datetime64_any_dtype(values):
            notes.append(f"column {name!r} is left out: text with {len(levels)} values, or dates (use --time)")
            left_out.append(str(name))
            continue
        kept.append(Column(str(name), tuple(levels)))
        parts.append(numbers_of(values, kept[-1]))
    if not any(part.shape[1] for part in parts):
        raise StudyError("no input column is left", "ignore fewer columns; text inputs need few distinct values")
    X = np.ascontiguousarray(np.hstack(parts))
    refuse_infinite(X, [name for column in kept for name in column.inputs])
    return X, tuple(kept), tuple(left_out), tuple(notes)


def numbers_of(values: pd.Series, column: Column) -> FloatArray:
    """The values of a column as inputs: (n_rows, n_inputs of this column)."""
    if column.levels is None:
        return values.to_numpy(np.float64, na_value=np.nan)[:, None]
    text = values.astype(str).to_numpy()
    flags = [(text == level).astype(np.float64)[:, None] for level in column.levels]
    return np.hstack(flags) if flags else np.empty((len(values), 0))


def refuse_nearly_numeric(values: pd.Series) -> None:
    """StudyError for a numeric column with a few words in it, which is an error in the file, not a text column."""
    present = values.dropna().astype(str)
    odd = pd.to_numeric(present, errors="coerce").isna()
    if 0 < odd.sum() <= NEARLY_NUMERIC * len(present):
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
