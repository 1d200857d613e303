"""Reads CSV and Parquet files, gzip too, or a folder of them."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.study import DataSpec
from cemai_opt.datasets._dataset import Frames
from cemai_opt.datasets._reader import Reader

CSV = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz")
PARQUET = (".parquet", ".parquet.gz", ".pq")
FILE_GROUP = "file"
"""Name of the group column of rows from a folder of files."""
SNIFF_BYTES = 65536
PIECE_ROWS = 65536
"""Rows read at once if a file may be larger than memory."""


class Tabular(Reader):
    """CSV or Parquet files; in a folder one file is one group."""

    def _read(self, spec: DataSpec) -> Frames:
        if not spec.path:
            raise StudyError("no data was given", "give --data FILE_OR_FOLDER")
        rows, group = _read_path(Path(spec.path))
        test = _read_path(Path(spec.test))[0] if spec.test else None
        if test is not None and group is not None and group not in test.columns:
            test = test.assign(**{group: Path(str(spec.test)).name})
        if group is not None and spec.group not in (None, group):  # the file name may reveal the target
            rows = rows.drop(columns=group)
            return Frames(rows, test)
        return Frames(rows, test, group)


def _read_path(path: Path) -> tuple[pd.DataFrame, str | None]:
    if path.is_dir():
        return _read_folder(path), FILE_GROUP
    _check_is_there(path)
    return _read_file(path), None


def _check_is_there(path: Path) -> None:
    if not path.is_file():
        siblings = [p.name for p in path.parent.glob("*")] if path.parent.is_dir() else []
        hint = nearest(path.name, siblings) if siblings else "relative paths start from --data-root or CEMAI_OPT_DATA"
        raise StudyError(f"there is no file {path}", hint)
    if path.stat().st_size == 0:
        raise StudyError(f"{path} is empty", "give a file with a header and rows")


def _files_in(folder: Path) -> list[Path]:
    files = sorted(
        p for p in folder.iterdir() if p.is_file() and p.name[0] != "." and p.name.lower().endswith(CSV + PARQUET)
    )
    if not files:
        raise StudyError(f"folder {folder} holds no CSV or Parquet file", f"supported extensions: {CSV + PARQUET}")
    return files


def _read_folder(folder: Path) -> pd.DataFrame:
    files = _files_in(folder)
    frames: list[pd.DataFrame] = []
    for file in files:
        frame = _read_file(file)
        if frames and list(frame.columns) != list(frames[0].columns):
            odd = sorted(set(frame.columns) ^ set(frames[0].columns), key=str)
            raise StudyError(
                f"{file} has other columns than {files[0].name} ({', '.join(odd) or 'another order'})",
                "give all files the same columns",
            )
        frames.append(frame)
    rows = pd.concat(frames, ignore_index=True)
    if FILE_GROUP in rows.columns:
        raise StudyError(f"the files of {folder} have a column {FILE_GROUP!r} of their own", "rename it")
    rows[FILE_GROUP] = np.repeat([file.name for file in files], [len(frame) for frame in frames])
    return rows


def _read_file(path: Path) -> pd.DataFrame:
    _check_is_there(path)
    frame = _parsed(path)
    if frame.empty:
        raise StudyError(f"{path} has no rows", "is there more than a header?")
    frame.columns = frame.columns.map(str)
    doubled = frame.columns[frame.columns.duplicated()]
    if len(doubled):
        raise StudyError(f"{path}: column {doubled[0]!r} occurs twice", "rename one of them")
    return frame


def _parsed(path: Path) -> pd.DataFrame:
    name = path.name.lower()
    with _told_which(path):
        if name.endswith(PARQUET):
            if name.endswith(".gz"):
                with gzip.open(path) as stream:
                    return pd.read_parquet(stream)
            return pd.read_parquet(path)
        if name.endswith(CSV):
            return _read_csv(path)
    raise StudyError(f"cannot read {path}: unknown file extension", f"supported: {', '.join(CSV + PARQUET)}")


@contextmanager
def _told_which(path: Path) -> Iterator[None]:
    """Converts any error of a library in reading a file to a StudyError with the file's name."""
    try:
        yield
    except StudyError:
        raise
    except (
        ValueError,
        OSError,
        EOFError,
        csv.Error,
        zlib.error,
    ) as error:  # pandas' and pyarrow's parser errors are ValueErrors
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        hint = "save it as UTF-8" if isinstance(error, UnicodeDecodeError) else "is it a complete CSV or Parquet file?"
        raise StudyError(f"cannot read {path}: {first_line}", hint) from error


def pieces(path: Path, text: Collection[str], *, n_rows: int | None = None) -> Iterator[pd.DataFrame]:
    """The rows of a file or folder, at most `n_rows` (by default `PIECE_ROWS`) at a time; columns in `text` stay text.

    Numbers are parsed as when the file is read at once. Rows of a folder have the column `FILE_GROUP`.
    """
    if path.is_dir():
        for file in _files_in(path):
            for piece in pieces(file, text, n_rows=n_rows):
                yield piece.assign(**{FILE_GROUP: file.name})
        return
    _check_is_there(path)
    with _told_which(path):
        for piece in _pieces_of_file(path, text, n_rows=n_rows or PIECE_ROWS):
            piece.columns = piece.columns.map(str)
            yield piece


def _pieces_of_file(path: Path, text: Collection[str], *, n_rows: int) -> Iterator[pd.DataFrame]:
    name = path.name.lower()
    if name.endswith(CSV):
        separator = _separator(path)
        _check_fields(path, separator)
        read = partial(pd.read_csv, path, sep=separator, index_col=False, dtype=dict.fromkeys(text, str))
        decimal = "."
        if separator == ";":
            with read(chunksize=n_rows) as reader:
                if any(_has_decimal_commas(piece[c]) for piece in reader for c in piece.columns if c not in text):
                    decimal = ","
        with read(chunksize=n_rows, decimal=decimal) as reader:
            yield from reader
    elif name.endswith(PARQUET) and not name.endswith(".gz"):
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(n_rows):
                yield batch.to_pandas()
    else:
        yield _read_file(path)


def _read_csv(path: Path) -> pd.DataFrame:
    """A CSV file; if semicolons separate the columns, a comma in numbers is the decimal separator."""
    separator = _separator(path)
    _check_fields(path, separator)
    frame = pd.read_csv(path, sep=separator, low_memory=False, index_col=False)
    if separator == ";" and any(_has_decimal_commas(frame[name]) for name in frame.columns):
        return pd.read_csv(path, sep=separator, low_memory=False, index_col=False, decimal=",")
    return frame


def _check_fields(path: Path, separator: str) -> None:
    """StudyError if the header has a column twice, or the first row has more fields than the header; an empty field
    after the last separator is ignored."""
    with _opened(path) as stream:
        lines = csv.reader(io.TextIOWrapper(stream, "utf-8-sig", errors="replace"), delimiter=separator)
        header, first = next(lines, []), next(lines, [])
    named = [name for name in header if name]
    doubled = [name for name in named if named.count(name) > 1]
    if doubled:
        raise StudyError(f"{path}: column {doubled[0]!r} occurs twice", "rename one of them")
    if any(first[len(header) :]):
        raise StudyError(
            f"{path}: the first row has {len(first)} fields, the header {len(header)}", "give every column a name"
        )


def _has_decimal_commas(values: pd.Series) -> bool:
    present = values.dropna()
    if pd.api.types.is_numeric_dtype(present) or present.empty:
        return False
    return bool(present.astype(str).str.fullmatch(r"\s*[+-]?\d+(,\d+)?([eE][+-]?\d+)?\s*").all())


def _separator(path: Path) -> str:
    """The separator of the header line: comma, semicolon, tab or bar."""
    with _opened(path) as stream:
        header = stream.readline(SNIFF_BYTES).decode(errors="replace")
    try:
        return csv.Sniffer().sniff(header, delimiters=",;\t|").delimiter
    except csv.Error:
        return ","


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")  # type: ignore[return-value]  # a binary file
