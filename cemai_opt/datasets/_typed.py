"""Columns of tables as numbers, truths or text: of one type in all files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cemai_opt.core.errors import StudyError
from cemai_opt.datasets._number_text import NumberStyle, numbers_of_text, refuse_disguised, truths_of_text

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(kw_only=True)
class Typing:
    """How columns get their type.

    `style`: of the numbers. `exact`: columns that stay text as it was written. `free`: those that may hold numbers in
    disguise without being refused. `plain`: columns that are known to hold plain numbers. `words` counts what was
    taken for a missing value, by column.
    """

    style: NumberStyle = field(default_factory=NumberStyle)
    exact: Collection[str] = ()
    free: Collection[str] = ()
    plain: Collection[str] = ()
    words: dict[str, Counter[str]] = field(default_factory=dict)

    def notes(self) -> list[str]:
        """What was taken for a missing value."""
        return [
            f"column {name!r} is numeric: {', '.join(f'{n} x {word!r}' for word, n in counts.items())} taken as missing"
            for name, counts in self.words.items()
        ]


def frames_of(tables: Mapping[str, pa.Table], typing: Typing) -> list[pd.DataFrame]:
    """The tables of some files, by their names, as data frames.

    A column is one of numbers only if all of its cells in all files are. StudyError if it has numbers in one file and
    text in another, which only files with types can have, or if it holds numbers in disguise.
    """
    frames: list[dict[str, pd.Series]] = [{} for _ in tables]
    for name in dict.fromkeys(name for table in tables.values() for name in table.column_names):
        holders: Mapping[str, pa.ChunkedArray] = {
            file: table.column(name) for file, table in tables.items() if name in table.column_names
        }
        if name not in typing.exact:
            holders = _numbers_beside_numbers(name, holders, typing=typing)
        whole = _typed(name, _joined(name, holders), typing=typing)
        first = 0
        for frame, (file, table) in zip(frames, tables.items(), strict=True):
            if file in holders:
                frame[name] = whole.iloc[first : first + table.num_rows].reset_index(drop=True)
                first += table.num_rows
    return [
        pd.DataFrame({name: frame[name] for name in table.column_names}, index=range(table.num_rows))
        for frame, table in zip(frames, tables.values(), strict=True)
    ]


def strings_of(table: pa.Table) -> pa.Table:
    """The columns of text."""
    import pyarrow as pa

    names = [
        name for name, kind in zip(table.column_names, table.schema.types, strict=True) if pa.types.is_string(kind)
    ]
    return table.select(names)


def _numbers_beside_numbers(
    name: str, columns: Mapping[str, pa.ChunkedArray], *, typing: Typing
) -> Mapping[str, pa.ChunkedArray]:
    """The columns with numbers for text that holds nothing else, if other files have numbers in this column."""
    import pyarrow as pa

    if not any(pa.types.is_integer(column.type) or pa.types.is_floating(column.type) for column in columns.values()):
        return columns
    converted: dict[str, pa.ChunkedArray] = {}
    for file, column in columns.items():
        numbers, taken = numbers_of_text(column, typing.style) if pa.types.is_string(column.type) else (None, {})
        converted[file] = column if numbers is None else numbers
        _count(name, taken, typing=typing)
    return converted


def _joined(name: str, columns: Mapping[str, pa.ChunkedArray]) -> pa.ChunkedArray:
    """A column of all files. StudyError if the files give it types that no value can have in common."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kinds = {column.type: file for file, column in columns.items() if not pa.types.is_null(column.type)}
    if len(kinds) > 1:
        common = None
        if all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds):
            common = pa.float64() if any(map(pa.types.is_floating, kinds)) else pa.int64()
        elif all(pa.types.is_timestamp(kind) for kind in kinds) and len({kind.tz for kind in kinds}) == 1:
            common = pa.timestamp("ns", next(iter(kinds)).tz)
        try:
            columns = {file: pc.cast(column, common) for file, column in columns.items()} if common else {}
        except pa.ArrowInvalid:
            columns = {}
        if not columns:
            listed = ", ".join(f"{kind} in {file}" for kind, file in kinds.items())
            raise StudyError(f"column {name!r} is {listed}", "give it one type in all files")
    elif kinds:
        columns = {file: pc.cast(column, next(iter(kinds))) for file, column in columns.items()}
    if len(columns) == 1:
        return next(iter(columns.values()))
    return pa.chunked_array([chunk for column in columns.values() for chunk in column.chunks])


def _typed(name: str, column: pa.ChunkedArray, *, typing: Typing) -> pd.Series:
    import pyarrow as pa

    if not pa.types.is_string(column.type):
        return pd.Series(column.to_pandas())
    if name in typing.exact:
        return _series(column)
    numbers, taken = numbers_of_text(column, typing.style, is_plain=name in typing.plain)
    if numbers is None and name not in typing.free:
        refuse_disguised(name, column, style=typing.style)
    _count(name, taken, typing=typing)
    truths = truths_of_text(column) if numbers is None else None
    return _series(next(c for c in (numbers, truths, column) if c is not None))


def _series(column: pa.ChunkedArray) -> pd.Series:
    import pyarrow as pa

    if pa.types.is_string(column.type):  # every text once: rows hold references to it
        chunks = column.dictionary_encode().unify_dictionaries().chunks
        texts = np.array([*(chunks[0].dictionary.to_pylist() if chunks else ()), None], object)
        parts = [texts[chunk.indices.fill_null(len(texts) - 1).to_numpy()] for chunk in chunks]
        return pd.Series(np.concatenate(parts) if parts else [], dtype=object)
    return pd.Series(column.to_numpy(zero_copy_only=False))


def _count(name: str, taken: Mapping[str, int], *, typing: Typing) -> None:
    if taken:
        typing.words.setdefault(name, Counter()).update(taken)
