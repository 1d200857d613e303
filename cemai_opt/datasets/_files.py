"""The files that rows are read from, and the table in each."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.datasets._parquet import parquet_batches, read_parquet
from cemai_opt.datasets._schema import TextFormat
from cemai_opt.datasets._text_table import TextFile

if TYPE_CHECKING:
    import pyarrow as pa

CSV = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz")
PARQUET = (".parquet", ".parquet.gz", ".pq")
PIECE_ROWS = 65536
"""Rows read at once if a file may be larger than memory."""


@dataclass(frozen=True)
class Source:
    """The files of a path: itself, or those of a folder by name; and a note on what is not read."""

    path: Path
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_folder(self) -> bool:
        """Whether the rows come from a folder of files."""
        return self.path.is_dir()

    @staticmethod
    def at(path: Path) -> Source:
        """The files at a path. StudyError if there are none, or if one is there twice."""
        if path.is_dir():
            return Source(path, *_files_in(path))
        check_is_there(path)
        return Source(path, (path,))


def check_is_there(path: Path) -> None:
    """StudyError unless the path is a file that is not empty."""
    if not path.is_file():
        siblings = [p.name for p in path.parent.glob("*")] if path.parent.is_dir() else []
        hint = nearest(path.name, siblings) if siblings else "relative paths start from --data-root or CEMAI_OPT_DATA"
        what = "is a link that leads nowhere" if path.is_symlink() else None
        raise StudyError(f"{path} {what}" if what else f"there is no file {path}", hint)
    if path.stat().st_size == 0:
        raise StudyError(f"{path} is empty", "give a file with a header and rows")


def typed_table_of(path: Path, form: TextFormat, *, text: Collection[str]) -> tuple[pa.Table, tuple[str, ...]] | None:
    """The table in a file, columns of plain numbers as numbers, those in `text` as text; and notes.

    None if the types of a text file are not certain.
    """
    if not path.name.lower().endswith(CSV):
        return table_of(path, form)
    check_is_there(path)
    return TextFile.opened(path, form).typed_table(text)


def table_of(path: Path, form: TextFormat) -> tuple[pa.Table, tuple[str, ...]]:
    """The table in a file, its cells as text if it is a text file; and notes."""
    check_is_there(path)
    name = path.name.lower()
    if name.endswith(CSV):
        table, notes = TextFile.opened(path, form).table()
    elif name.endswith(PARQUET):
        table, notes = read_parquet(path), ()
    else:
        raise StudyError(f"cannot read {path}: unknown file extension", f"supported: {', '.join(CSV + PARQUET)}")
    return _without_words(table, form.na), notes


def _files_in(folder: Path) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """The files of a folder by name, and a note on what is not read. StudyError if a file is there twice."""
    found = sorted(path for path in folder.iterdir() if path.name[0] != ".")
    files = [path for path in found if not path.is_dir() and path.name.lower().endswith(CSV + PARQUET)]
    if not files:
        raise StudyError(f"folder {folder} holds no CSV or Parquet file", f"supported extensions: {CSV + PARQUET}")
    by_content: dict[str, Path] = {}
    for file in files:
        check_is_there(file)
        for key in (str(file.resolve()), file.name.lower().removesuffix(".gz")):
            if key in by_content and by_content[key] != file:
                raise StudyError(f"{folder} holds {by_content[key].name} and {file.name}, the same rows", "remove one")
            by_content[key] = file
    others = [path.name + ("/" if path.is_dir() else "") for path in found if path not in files]
    return tuple(files), (f"not read in {folder.name}: {', '.join(others)}",) if others else ()


def batches_of(path: Path, form: TextFormat) -> Iterator[pa.Table]:
    """As `table_of`, some rows at a time."""
    check_is_there(path)
    name = path.name.lower()
    if name.endswith(CSV):
        for table in TextFile.opened(path, form).batches():
            yield _without_words(table, form.na)
    elif name.endswith(PARQUET) and not name.endswith(".gz"):
        for table in parquet_batches(path, PIECE_ROWS):
            yield _without_words(table, form.na)
    else:
        yield table_of(path, form)[0]


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
