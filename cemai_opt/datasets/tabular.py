"""Reads CSV and Parquet files, gzip too, or a folder of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.datasets._dataset import Frames
from cemai_opt.datasets._files import PIECE_ROWS, Source, batches_of, table_of, typed_table_of
from cemai_opt.datasets._number_text import NumberStyle, StyleSearch
from cemai_opt.datasets._reader import Reader
from cemai_opt.datasets._sampling import affordable_rows, sampled
from cemai_opt.datasets._schema import TextFormat, format_of
from cemai_opt.datasets._typed import Typing, frames_of, strings_of

if TYPE_CHECKING:
    import pyarrow as pa

FILE_GROUP = "file"
"""Name of the group column of rows from a folder of files."""


class Tabular(Reader):
    """CSV or Parquet files; in a folder one file is one group. Test files are read in the same way, with the others."""

    appends = True

    def _read(self, spec: DataSpec) -> Frames:
        return self.frames(spec)

    def within_memory(self, spec: DataSpec) -> DataSpec:
        """With `sample_rows`, unless it is given, if a folder does not fit. StudyError for a file that does not."""
        if spec.sample_rows is not None or spec.path is None:
            return spec
        return spec.model_copy(update={"sample_rows": affordable_rows(Source.at(Path(spec.path)))})

    def frames(self, spec: DataSpec) -> Frames:
        """The raw rows, for readers whose data may be a table as well."""
        if not spec.path:
            raise StudyError("no data was given", "give --data FILE_OR_FOLDER")
        form = format_of(spec)
        exact = frozenset((*spec.keep_text, *([spec.group] if spec.group else [])))
        times = (spec.time or "", *(part.strip() for part in (spec.time or "").split(",")))
        typing = Typing(exact=exact, free=frozenset((*exact, *spec.ignore, *times)))
        sources = [Source.at(Path(path)) for path in spec.paths]
        sources[0] = sampled(sources[0], spec.sample_rows)
        _check_read_once(sources[: 1 + len(spec.append)])
        frames, notes = _read_sources(sources, form, typing=typing)
        test = frames.pop() if spec.test else None
        rows, parts = _joined(frames, sources)
        for column in spec.keep_text:
            if column not in rows.columns:
                raise StudyError(f"--keep-text: there is no column {column!r}", nearest(column, rows.columns))
        group = FILE_GROUP if sources[0].is_folder else None
        if test is not None and group is not None and group not in test.columns:
            test = test.assign(**{group: Path(str(spec.test)).name})
        if group is not None and spec.group not in (None, group):  # the file name may reveal the target
            return Frames(rows=rows.drop(columns=group), test=test, notes=notes, parts=parts)
        return Frames(rows=rows, test=test, group=group, notes=notes, parts=parts)


def _check_read_once(sources: Sequence[Source]) -> None:
    """StudyError if a file would be read twice."""
    seen: set[Path] = set()
    for file in [file.resolve() for source in sources for file in source.files]:
        if file in seen:
            raise StudyError(f"{file} is given twice", "name each file of --data and --append once")
        seen.add(file)


def _joined(frames: Sequence[pd.DataFrame], sources: Sequence[Source]) -> tuple[pd.DataFrame, Mapping[str, int]]:
    """The rows of --data and of each --append in one frame; if there are several, how many each has, by its name."""
    first = frames[0]
    if len(frames) == 1:
        return first, {}
    parts = [first]
    for frame, source in zip(frames[1:], sources[1:], strict=False):
        if FILE_GROUP in first.columns and FILE_GROUP not in frame.columns:
            frame = frame.assign(**{FILE_GROUP: source.path.name})
        odd = sorted(set(map(str, frame.columns)) ^ set(map(str, first.columns)))
        if odd:
            raise StudyError(
                f"{source.path} has other columns than {sources[0].path} ({', '.join(odd)})", "rename them"
            )
        parts.append(frame[first.columns])
    names = [source.path.name for source in sources]
    sizes = {
        f"{name}#{i}" if name in names[:i] else name: len(part)
        for i, (name, part) in enumerate(zip(names, parts, strict=False))
    }
    return pd.concat(parts, ignore_index=True), sizes


def _read_sources(
    sources: Sequence[Source], form: TextFormat, *, typing: Typing
) -> tuple[list[pd.DataFrame], tuple[str, ...]]:
    """The rows of each source, with the name of the file in `FILE_GROUP` if it is a folder; and notes.

    Numbers have the same style, and columns the same type, in all files.
    """
    tables, search, notes = _typed_tables(sources, form, typing=typing) or _text_tables(sources, form, typing=typing)
    typing.style = _style(form, search, where=" and ".join(str(source.path) for source in sources))
    typing.plain = search.plain if typing.style == NumberStyle() else ()
    notes += _style_notes(typing.style, form)
    frames = dict(zip(tables, frames_of(tables, typing), strict=True))
    notes += typing.notes()
    return [_whole(source, frames) for source in sources], tuple(dict.fromkeys(notes))


_Tables = tuple[dict[str, "pa.Table"], StyleSearch, list[str]]
"""Tables by file, the style of the numbers in text, and notes."""


def _typed_tables(sources: Sequence[Source], form: TextFormat, *, typing: Typing) -> _Tables | None:
    """Columns of plain numbers as numbers. None if numbers or missing values may be written in another way."""
    if form.decimal or form.thousands or form.na:
        return None
    found = _tables(sources, lambda file: typed_table_of(file, form, text=typing.exact), typing=typing)
    return None if found is None or found[1].has_commas or _is_number_and_text(found[0].values()) else found


def _is_number_and_text(tables: Collection[pa.Table]) -> bool:
    """Whether a column is text in one table and something else in another, but not empty."""
    kinds: dict[str, set[str]] = {}
    for table in tables:
        for name, kind in zip(table.column_names, table.schema.types, strict=True):
            kinds.setdefault(name, set()).add(str(kind))
    return any("string" in found and found - {"string", "null"} for found in kinds.values())


def _text_tables(sources: Sequence[Source], form: TextFormat, *, typing: Typing) -> _Tables:
    """All columns of text files as text."""
    found = _tables(sources, lambda file: table_of(file, form), typing=typing)
    assert found is not None, "text is certain"
    return found


def _tables(
    sources: Sequence[Source],
    read: Callable[[Path], tuple[pa.Table, tuple[str, ...]] | None],
    *,
    typing: Typing,
) -> _Tables | None:
    tables: dict[str, pa.Table] = {}
    notes: list[str] = []
    search = StyleSearch(typing.free)
    for source in sources:
        notes += source.notes
        for file in source.files:
            found = read(file)
            if found is None:
                return None
            tables[str(file)], said = found
            if not tables[str(file)].num_rows:
                raise StudyError(f"{file} has no rows", "is there more than a header?")
            search.add(strings_of(tables[str(file)]))
            notes += said
        _check_same_columns(source, tables)
    return tables, search, notes


def _check_same_columns(source: Source, tables: Mapping[str, pa.Table]) -> None:
    first = tables[str(source.files[0])].column_names
    for file in source.files:
        names = tables[str(file)].column_names
        if names != first:
            odd = sorted(set(names) ^ set(first))
            raise StudyError(
                f"{file} has other columns than {source.files[0].name} ({', '.join(odd) or 'another order'})",
                "give all files the same columns",
            )


def _whole(source: Source, frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """All rows of a source."""
    parts = [frames[str(file)] for file in source.files]
    if not source.is_folder:
        return parts[0]
    rows = pd.concat(parts, ignore_index=True)
    if FILE_GROUP in rows.columns:
        raise StudyError(f"the files of {source.path} have a column {FILE_GROUP!r} of their own", "rename it")
    rows[FILE_GROUP] = np.repeat([file.name for file in source.files], [len(part) for part in parts])
    return rows


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


def pieces(
    path: Path,
    text: Collection[str],
    *,
    form: TextFormat | None = None,
    n_rows: int | None = None,
    notes: list[str] | None = None,
) -> Iterator[pd.DataFrame]:
    """The rows of a file or folder, at most `n_rows` (by default `PIECE_ROWS`) at a time; columns in `text` stay text.

    Numbers are parsed as when the file is read at once. Rows of a folder have the column `FILE_GROUP`. `notes` gets
    what was taken for a missing value, after the last piece.
    """
    form = form or TextFormat()
    source = Source.at(path)
    typing = Typing(exact=frozenset(text), free=frozenset(text))
    search = StyleSearch(typing.free)
    if form.decimal is None and form.thousands is None:
        for file in source.files:
            for table in batches_of(file, form):
                search.add(strings_of(table))
    typing.style = _style(form, search, where=str(path))
    for file in source.files:
        for table in batches_of(file, form):
            (frame,) = frames_of({str(file): table}, typing)
            for first in range(0, len(frame), n_rows or PIECE_ROWS):
                piece = frame.iloc[first : first + (n_rows or PIECE_ROWS)].reset_index(drop=True)
                yield piece.assign(**{FILE_GROUP: file.name}) if source.is_folder else piece
    if notes is not None:
        notes += typing.notes()
