"""Reads CSV and Parquet files, gzip too, or a folder of them."""

from __future__ import annotations

import gzip
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.study import DataSpec
from cemai_opt.datasets._dataset import Frames
from cemai_opt.datasets._number_text import (
    NumberStyle,
    StyleSearch,
    numbers_of_text,
    refuse_disguised,
    truths_of_text,
)
from cemai_opt.datasets._reader import Reader
from cemai_opt.datasets._schema import TextFormat, format_of
from cemai_opt.datasets._text_table import TextFile

if TYPE_CHECKING:
    import pyarrow as pa

CSV = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz")
PARQUET = (".parquet", ".parquet.gz", ".pq")
FILE_GROUP = "file"
"""Name of the group column of rows from a folder of files."""
PIECE_ROWS = 65536
"""Rows read at once if a file may be larger than memory."""


@dataclass(frozen=True, kw_only=True)
class TextColumns:
    """Columns that stay text as it was written, and those that may hold numbers in disguise without being refused."""

    exact: frozenset[str] = frozenset()
    free: frozenset[str] = frozenset()


class Tabular(Reader):
    """CSV or Parquet files; in a folder one file is one group."""

    def _read(self, spec: DataSpec) -> Frames:
        if not spec.path:
            raise StudyError("no data was given", "give --data FILE_OR_FOLDER")
        form = format_of(spec)
        exact = {*spec.keep_text, *([spec.group] if spec.group else [])}
        free = {*exact, *spec.ignore, *(part.strip() for part in (spec.time or "").split(",")), spec.time or ""}
        text = TextColumns(exact=frozenset(exact), free=frozenset(free))
        rows, group, notes = _read_path(Path(spec.path), form, text=text)
        test: pd.DataFrame | None = None
        if spec.test:
            test, _, test_notes = _read_path(Path(spec.test), form, text=text)
            notes += tuple(note for note in test_notes if note not in notes)
        for column in spec.keep_text:
            if column not in rows.columns:
                raise StudyError(f"--keep-text: there is no column {column!r}", nearest(column, rows.columns))
        if test is not None and group is not None and group not in test.columns:
            test = test.assign(**{group: Path(str(spec.test)).name})
        if group is not None and spec.group not in (None, group):  # the file name may reveal the target
            return Frames(rows=rows.drop(columns=group), test=test, notes=notes)
        return Frames(rows=rows, test=test, group=group, notes=notes)


def _read_path(path: Path, form: TextFormat, *, text: TextColumns) -> tuple[pd.DataFrame, str | None, tuple[str, ...]]:
    """The rows, the group column if it is a folder, and notes."""
    if not path.is_dir():
        _check_is_there(path)
        (rows,), notes = _read_files([path], form, text=text)
        return rows, None, notes
    files, left_out = _files_in(path)
    frames, notes = _read_files(files, form, text=text)
    for file, frame in zip(files, frames, strict=True):
        if list(frame.columns) != list(frames[0].columns):
            odd = sorted(set(frame.columns) ^ set(frames[0].columns), key=str)
            raise StudyError(
                f"{file} has other columns than {files[0].name} ({', '.join(odd) or 'another order'})",
                "give all files the same columns",
            )
    rows = pd.concat([frame for frame in frames if len(frame)], ignore_index=True)
    if FILE_GROUP in rows.columns:
        raise StudyError(f"the files of {path} have a column {FILE_GROUP!r} of their own", "rename it")
    rows[FILE_GROUP] = np.repeat([file.name for file in files], [len(frame) for frame in frames])
    return rows, FILE_GROUP, (*left_out, *notes)


def _read_files(
    files: Sequence[Path], form: TextFormat, *, text: TextColumns
) -> tuple[list[pd.DataFrame], tuple[str, ...]]:
    """The rows of each file; numbers have the same style in all of them."""
    tables: list[pa.Table] = []
    notes: list[str] = []
    search = StyleSearch(text.free)
    for file in files:
        table, said = _text_of(file, form)
        if not table.num_rows:
            raise StudyError(f"{file} has no rows", "is there more than a header?")
        search.add(_strings(table))
        tables.append(table)
        notes += said
    style = _style(form, search, where=str(files[0] if len(files) == 1 else files[0].parent))
    notes += _style_notes(style, form)
    words: dict[str, str] = {}
    plain = search.plain if style == NumberStyle() else frozenset[str]()
    frames = [_frame(table, style, text=text, words=words, plain=plain) for table in tables]
    notes += [f"column {name!r} is numeric: {said} taken as missing" for name, said in words.items()]
    return frames, tuple(dict.fromkeys(notes))


def _style(form: TextFormat, search: StyleSearch, *, where: str) -> NumberStyle:
    if form.decimal is None and form.thousands is None:
        return search.style(where)
    return NumberStyle(decimal=form.decimal or ".", thousands=form.thousands or "")


def _style_notes(style: NumberStyle, form: TextFormat) -> list[str]:
    if style == NumberStyle() or form.decimal is not None or form.thousands is not None:
        return []
    if style.thousands:
        return ["numbers have commas between thousands (change it with --decimal and --thousands)"]
    return ["numbers have decimal commas (change it with --decimal and --thousands)"]


def _text_of(path: Path, form: TextFormat) -> tuple[pa.Table, tuple[str, ...]]:
    """The table in a file, its cells as text if it is a text file; and notes."""
    _check_is_there(path)
    name = path.name.lower()
    if name.endswith(CSV):
        table, notes = TextFile.opened(path, form).table()
    elif name.endswith(PARQUET):
        table, notes = _parquet(path), ()
    else:
        raise StudyError(f"cannot read {path}: unknown file extension", f"supported: {', '.join(CSV + PARQUET)}")
    return _without_words(table, form.na), notes


def _parquet(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet

    try:
        if path.name.lower().endswith(".gz"):
            with gzip.open(path) as stream:
                table = pyarrow.parquet.read_table(pa.BufferReader(stream.read()))
        else:
            table = pyarrow.parquet.read_table(path, partitioning=None)
    except (pa.ArrowException, OSError, EOFError, ValueError) as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        raise StudyError(f"cannot read {path}: {first_line}", "is it a complete Parquet file?") from error
    return _decoded(table)


def _decoded(table: pa.Table) -> pa.Table:
    """Without the index of a data frame; categories as their values, decimals as numbers."""
    import json

    import pyarrow as pa
    import pyarrow.compute as pc

    described = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}"))
    index = {name for name in described.get("index_columns", []) if isinstance(name, str)}
    table = table.drop_columns([name for name in table.column_names if name in index])
    for i, kind in enumerate(table.schema.types):
        column = table.column(i)
        if pa.types.is_dictionary(kind):
            column = pc.cast(column, kind.value_type)
        if pa.types.is_decimal(column.type):
            column = pc.cast(column, pa.float64())
        if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
            column = pc.cast(column, pa.string())
        if pa.types.is_date(column.type):
            column = pc.cast(column, pa.timestamp("ms"))
        table = table.set_column(i, table.column_names[i], column)
    doubled = [name for name in table.column_names if table.column_names.count(name) > 1]
    if doubled:
        raise StudyError(f"column {doubled[0]!r} occurs twice", "rename one of them")
    return table


def _without_words(table: pa.Table, words: Collection[str]) -> pa.Table:
    """The table with null where a cell is one of the words for a missing value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for i, kind in enumerate(table.schema.types):
        if words and pa.types.is_string(kind):
            is_word = pc.fill_null(pc.is_in(table.column(i), pa.array(list(words), pa.string())), False)
            known = pc.if_else(is_word, pa.scalar(None, pa.string()), table.column(i))
            table = table.set_column(i, table.column_names[i], known)
    return table


def _strings(table: pa.Table) -> pa.Table:
    import pyarrow as pa

    return table.select([name for name, kind in zip(table.column_names, table.schema.types, strict=True)
                         if pa.types.is_string(kind)])  # fmt: skip


def _frame(
    table: pa.Table,
    style: NumberStyle,
    *,
    text: TextColumns,
    words: dict[str, str],
    plain: Collection[str] = (),
) -> pd.DataFrame:
    """The table with numbers where all cells are numbers, as is known of the columns in `plain`.

    `words` gets what was taken for missing values, by column.
    """
    import pyarrow as pa

    columns: dict[str, pd.Series] = {}
    for name, kind in zip(table.column_names, table.schema.types, strict=True):
        column = table.column(name)
        if not pa.types.is_string(kind):
            columns[name] = column.to_pandas()
        elif name in text.exact:
            columns[name] = _series(column)
        else:
            numbers, taken = numbers_of_text(column, style, is_plain=name in plain)
            if numbers is None and name not in text.free:
                refuse_disguised(name, column, style=style)
            if taken:
                words.setdefault(name, taken)
            truths = truths_of_text(column) if numbers is None else None
            columns[name] = _series(next(c for c in (numbers, truths, column) if c is not None))
    return pd.DataFrame(columns)


def _series(column: pa.ChunkedArray) -> pd.Series:
    import pyarrow as pa

    values = column.to_numpy(zero_copy_only=False)
    return pd.Series(values, dtype=object if pa.types.is_string(column.type) else None)


def _check_is_there(path: Path) -> None:
    if not path.is_file():
        siblings = [p.name for p in path.parent.glob("*")] if path.parent.is_dir() else []
        hint = nearest(path.name, siblings) if siblings else "relative paths start from --data-root or CEMAI_OPT_DATA"
        what = "is a link that leads nowhere" if path.is_symlink() else None
        raise StudyError(f"{path} {what}" if what else f"there is no file {path}", hint)
    if path.stat().st_size == 0:
        raise StudyError(f"{path} is empty", "give a file with a header and rows")


def _files_in(folder: Path) -> tuple[list[Path], tuple[str, ...]]:
    """The files of a folder by name, and a note on what is not read. StudyError if a file is there twice."""
    found = sorted(path for path in folder.iterdir() if path.name[0] != ".")
    files = [path for path in found if not path.is_dir() and path.name.lower().endswith(CSV + PARQUET)]
    if not files:
        raise StudyError(f"folder {folder} holds no CSV or Parquet file", f"supported extensions: {CSV + PARQUET}")
    by_content: dict[str, Path] = {}
    for file in files:
        _check_is_there(file)
        for key in (str(file.resolve()), file.name.lower().removesuffix(".gz")):
            if key in by_content and by_content[key] != file:
                raise StudyError(f"{folder} holds {by_content[key].name} and {file.name}, the same rows", "remove one")
            by_content[key] = file
    others = [path.name + ("/" if path.is_dir() else "") for path in found if path not in files]
    return files, (f"not read in {folder.name}: {', '.join(others)}",) if others else ()


def pieces(
    path: Path, text: Collection[str], *, form: TextFormat | None = None, n_rows: int | None = None
) -> Iterator[pd.DataFrame]:
    """The rows of a file or folder, at most `n_rows` (by default `PIECE_ROWS`) at a time; columns in `text` stay text.

    Numbers are parsed as when the file is read at once. Rows of a folder have the column `FILE_GROUP`.
    """
    form = form or TextFormat()
    files = _files_in(path)[0] if path.is_dir() else [path]
    columns = TextColumns(exact=frozenset(text), free=frozenset(text))
    search = StyleSearch(columns.free)
    if form.decimal is None and form.thousands is None:
        for file in files:
            for table in _batches(file, form):
                search.add(_strings(table))
    style = _style(form, search, where=str(path))
    for file in files:
        for table in _batches(file, form):
            frame = _frame(table, style, text=columns, words={})
            for first in range(0, len(frame), n_rows or PIECE_ROWS):
                piece = frame.iloc[first : first + (n_rows or PIECE_ROWS)].reset_index(drop=True)
                yield piece.assign(**{FILE_GROUP: file.name}) if path.is_dir() else piece


def _batches(path: Path, form: TextFormat) -> Iterator[pa.Table]:
    """As `_text_of`, some rows at a time."""
    import pyarrow as pa

    _check_is_there(path)
    name = path.name.lower()
    if name.endswith(CSV):
        for table in TextFile.opened(path, form).batches():
            yield _without_words(table, form.na)
    elif name.endswith(PARQUET) and not name.endswith(".gz"):
        import pyarrow.parquet

        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(PIECE_ROWS):
                    yield _without_words(_decoded(pa.Table.from_batches([batch])), form.na)
        except (pa.ArrowException, OSError) as error:
            raise StudyError(f"cannot read {path}: {error}", "is it a complete Parquet file?") from error
    else:
        yield _text_of(path, form)[0]
