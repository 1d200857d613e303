"""Rows to be predicted by a trained model, read piece by piece and stored on disk as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np
import pandas as pd

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.datasets._columns import numbers_of, refuse_infinite
from cemai_opt.datasets._dataset import NewRows
from cemai_opt.datasets._schema import DATE, Schema
from cemai_opt.datasets._times import moments_of, ranks_of, times_of
from cemai_opt.datasets.tabular import FILE_GROUP, pieces


def read_new_rows(path: Path, schema: Schema, *, scratch: Path, history: Path | None = None) -> NewRows:
    """The rows of a file or folder as numbers, in files without a name in the folder `scratch`.

    `history` is a file or folder with rows before them, which come first. StudyError if a column is missing, unknown,
    or of another type, or if history is not earlier.
    """
    codes: dict[str, int] = {}
    unseen: dict[str, int] = {}
    notes: list[str] = []
    counts: list[int] = []
    with ExitStack() as stack:
        numbers, groups, moments, rests = (stack.enter_context(TemporaryFile(dir=scratch)) for _ in range(4))
        for source in (path,) if history is None else (history, path):
            n_read = 0
            for piece in known_pieces(source, schema, notes=notes):
                _numbers(piece, schema, first_row=n_read, unseen=unseen).tofile(numbers)
                _group_codes(piece, schema, codes=codes, first_row=n_read).tofile(groups)
                times = moments_of(
                    times_of(piece, schema.time_columns), len(piece), style=schema.time_style, first_row=n_read
                )
                for part, stream in zip(times, (moments, rests), strict=True):
                    part.tofile(stream)
                n_read += len(piece)
            if not n_read:
                raise StudyError(f"{source} has no rows", "is there more than a header?")
            counts.append(n_read)
        n_rows = sum(counts)
        order: FloatArray = np.arange(n_rows, dtype=np.float64)
        if schema.time is not None:
            order = ranks_of((_mapped(moments, np.int64, shape=n_rows), _mapped(rests, np.float64, shape=n_rows)))
        rows = NewRows(
            X=_mapped(numbers, np.float64, shape=(n_rows, len(schema.inputs))),
            group=_mapped(groups, np.int64, shape=n_rows),
            order=order,
            n_history=n_rows - counts[-1],
        )
        return replace(rows, notes=(*notes, *_unseen_notes(unseen), *history_notes(rows)))


def history_notes(rows: NewRows) -> tuple[str, ...]:
    """What is missing in the history of rows. StudyError if it is not earlier than the rows of the same group."""
    if not rows.n_history:
        return ()
    n, n_groups = rows.n_history, int(rows.group.max()) + 1
    last, first = np.full(n_groups, -np.inf), np.full(n_groups, np.inf)
    np.maximum.at(last, rows.group[:n], rows.order[:n])
    np.minimum.at(first, rows.group[n:], rows.order[n:])
    n_late, is_there = int((last >= first).sum()), np.isfinite(first)
    if n_late:
        of = "" if n_groups == 1 else f" of {n_late} groups"
        raise StudyError(f"the history{of} is not earlier than the rows", "--history has to end where --data begins")
    n_lacking = int((is_there & np.isinf(last)).sum())
    return (f"{n_lacking} of {int(is_there.sum())} groups have no rows in the history",) if n_lacking else ()


def _mapped(stream: IO[bytes], kind: type, *, shape: int | tuple[int, int]) -> np.ndarray:
    """The numbers in a file, which exists as long as they do."""
    stream.flush()
    return np.memmap(stream, kind, "r", shape=shape)


def _unseen_notes(unseen: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(f"column {c!r}: {n} rows hold a value that did not occur in training" for c, n in unseen.items())


def rows_of_frame(frame: pd.DataFrame, schema: Schema, *, n_history: int = 0) -> NewRows:
    """The rows of a data frame as numbers; the first `n_history` rows are the history of the others.

    StudyError if a column is missing, unknown, or of another type, or if history is not earlier.
    """
    frame = frame.set_axis(frame.columns.map(str), axis=1)
    if schema.group == FILE_GROUP and FILE_GROUP not in frame.columns:
        frame = frame.assign(**{FILE_GROUP: "frame"})
    _check_columns("the frame", list(frame.columns), schema=schema)
    unseen: dict[str, int] = {}
    X = _numbers(frame, schema, first_row=0, unseen=unseen)
    rows = NewRows(
        X=X,
        group=_group_codes(frame, schema, codes={}, first_row=0),
        order=ranks_of(moments_of(times_of(frame, schema.time_columns), len(frame), style=schema.time_style)),
        n_history=n_history,
    )
    return replace(rows, notes=(*_unseen_notes(unseen), *history_notes(rows)))


def known_pieces(
    path: Path, schema: Schema, *, notes: list[str] | None = None, numeric_target: bool = False
) -> Iterator[pd.DataFrame]:
    """The rows of a file or folder, piece by piece, with checked columns; `notes` as of `pieces`.

    The target is text, unless it is an input too, or is read like numeric inputs on request.
    """
    text = [column.name for column in schema.columns if column.levels is not None and column.name != schema.time]
    is_number = numeric_target or (schema.target in schema.input_columns and schema.target not in text)
    unused = [*schema.left_out] if is_number else [schema.target, *schema.left_out]
    exact = [*text, *([schema.group] if schema.group else []), *schema.time_parts, *unused]
    for piece in pieces(path, exact, form=schema.text_format, notes=notes):
        if schema.group == FILE_GROUP and FILE_GROUP not in piece.columns:
            piece = piece.assign(**{FILE_GROUP: path.name})
        _check_columns(path, list(piece.columns), schema=schema)
        yield piece


def _check_columns(path: Path | str, found: list[str], *, schema: Schema) -> None:
    wanted = dict.fromkeys(schema.input_columns, "input")
    wanted |= dict.fromkeys(schema.time_columns, "time") | ({schema.group: "group"} if schema.group else {})
    for name, kind in wanted.items():
        if name not in found:
            raise StudyError(f"{path} lacks the {kind} column {name!r}", nearest(name, set(found) - set(wanted)))
    for name in found:
        if name not in wanted and name != schema.target and name not in schema.left_out:
            raise StudyError(f"{path} has a column {name!r} that is not an input of the model", f"--ignore {name!r}")


def _numbers(piece: pd.DataFrame, schema: Schema, *, first_row: int, unseen: dict[str, int]) -> FloatArray:
    parts = []
    times = times_of(piece, schema.time_columns)
    for column in schema.columns:
        values = times if times is not None and column.name == schema.time else piece[column.name]
        if column.levels is None:
            values = _numeric(values, first_row)
            parts.append(
                numbers_of(values.replace(schema.missing, np.nan) if schema.missing is not None else values, column)
            )
            continue
        parts.append(numbers_of(values, column))
        if column.kind == DATE:
            _refuse_no_dates(values, parts[-1], first_row=first_row)
            continue
        strange = int((~values.isna() & ~values.astype(str).isin(column.levels)).sum())
        if strange:
            unseen[column.name] = unseen.get(column.name, 0) + strange
    X = np.ascontiguousarray(np.hstack(parts))
    refuse_infinite(X, schema.inputs, first_row=first_row)
    return X


def _refuse_no_dates(values: pd.Series, numbers: FloatArray, *, first_row: int) -> None:
    odd = values.notna().to_numpy() & np.isnan(numbers[:, 0])
    if odd.any():
        row = int(np.flatnonzero(odd)[0])
        raise StudyError(
            f"column {values.name!r} held dates in training, but holds {values.iloc[row]!r} in row {first_row + row}",
            "write dates as in training, or empty such cells",
        )


def _numeric(values: pd.Series, first_row: int) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return values
    numbers = pd.to_numeric(values, errors="coerce")
    odd = numbers.isna() & values.notna()
    if odd.any():
        row = int(np.flatnonzero(odd.to_numpy())[0])
        raise StudyError(
            f"column {values.name!r} was numeric in training, but holds {values.iloc[row]!r} in row {first_row + row}",
            "empty such cells, they are filled as in training",
        )
    return numbers


def _group_codes(piece: pd.DataFrame, schema: Schema, *, codes: dict[str, int], first_row: int) -> IntArray:
    if schema.group is None:
        return np.zeros(len(piece), np.int64)
    values = piece[schema.group]
    if values.isna().any():
        row = first_row + int(np.flatnonzero(values.isna())[0])
        raise StudyError(f"group column {schema.group!r} is empty in row {row}", "fill it, or drop those rows")
    own, names = pd.factorize(values.astype(str))
    known = np.array([codes.setdefault(str(name), len(codes)) for name in names], np.int64)
    return known[own]
