"""Parquet files as tables: without the index of a data frame, categories as their values, decimals as numbers."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cemai_opt.core.errors import StudyError

if TYPE_CHECKING:
    import pyarrow as pa


def read_parquet(path: Path) -> pa.Table:
    """All rows of a Parquet file, which may be compressed as a whole. StudyError if it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet

    try:
        if path.name.lower().endswith(".gz"):
            with gzip.open(path) as stream:
                table = pyarrow.parquet.read_table(pa.BufferReader(stream.read()))
        else:
            table = pyarrow.parquet.read_table(path, partitioning=None)
    except (pa.ArrowException, OSError, EOFError, ValueError) as error:
        raise _unreadable(path, error) from error
    return _decoded(table)


def parquet_batches(path: Path, n_rows: int) -> Iterator[pa.Table]:
    """As `read_parquet`, at most `n_rows` at a time; the file is not compressed as a whole."""
    import pyarrow as pa
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(n_rows):
                yield _decoded(pa.Table.from_batches([batch]))
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> StudyError:
    first_line = (str(error).splitlines() or [type(error).__name__])[0]
    return StudyError(f"cannot read {path}: {first_line}", "is it a complete Parquet file?")


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
