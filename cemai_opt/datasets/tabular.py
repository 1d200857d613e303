"""Reads CSV and Parquet files, gzip too, or a folder of them."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pandas as pd

from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.spec import DataSpec
from cemai_opt.datasets._dataset import Frames
from cemai_opt.datasets._reader import Reader

CSV = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz")
PARQUET = (".parquet", ".parquet.gz", ".pq")
FILE_GROUP = "file"
"""Name of the group column that the files of a folder make."""
SNIFF_BYTES = 65536


class Tabular(Reader):
    """CSV or Parquet files; in a folder one file is one group."""

    def _read(self, spec: DataSpec) -> Frames:
        if spec.path is None:
            raise StudyError("no data was named", "give --data FILE_OR_FOLDER")
        rows, group = _read_path(Path(spec.path))
        test = _read_path(Path(spec.test))[0] if spec.test is not None else None
        return Frames(rows, test, group if spec.group is None else None)


def _read_path(path: Path) -> tuple[pd.DataFrame, str | None]:
    if path.is_dir():
        return _read_folder(path), FILE_GROUP
    if not path.is_file():
        siblings = [p.name for p in path.parent.glob("*")] if path.parent.is_dir() else []
        raise StudyError(f"there is no file {path}", nearest(path.name, siblings))
    return _read_file(path), None


def _read_folder(folder: Path) -> pd.DataFrame:
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.name.lower().endswith(CSV + PARQUET))
    if not files:
        raise StudyError(f"folder {folder} holds no CSV or Parquet file", f"endings read: {CSV + PARQUET}")
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
    rows[FILE_GROUP] = np.repeat([file.name for file in files], [len(frame) for frame in frames])
    return rows


def _read_file(path: Path) -> pd.DataFrame:
    name = path.name.lower()
    if path.stat().st_size == 0:
        raise StudyError(f"{path} is empty", "name a file with a header and rows")
    try:
        if name.endswith(PARQUET):
            if name.endswith(".gz"):
                with gzip.open(path) as stream:
                    return pd.read_parquet(stream)
            return pd.read_parquet(path)
        if name.endswith(CSV):
            return pd.read_csv(path, sep=_separator(path), low_memory=False)
    except (ValueError, OSError, EOFError) as error:  # pandas' and pyarrow's parser errors are ValueErrors
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        raise StudyError(f"cannot read {path}: {first_line}", "is it a CSV or Parquet file, and whole?") from error
    raise StudyError(f"cannot tell what {path} is by its ending", f"endings read: {', '.join(CSV + PARQUET)}")


def _separator(path: Path) -> str:
    """Comma, semicolon, tab or bar, whichever the header line uses."""
    with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as stream:
        header = stream.readline(SNIFF_BYTES).decode(errors="replace")
    try:
        return csv.Sniffer().sniff(header, delimiters=",;\t|").delimiter
    except csv.Error:
        return ","
