"""CSV files as tables of text: every cell as it was written, every row with as many fields as the header."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from cemai_opt.core.errors import StudyError
from cemai_opt.datasets._number_text import PLAIN
from cemai_opt.datasets._schema import TextFormat

if TYPE_CHECKING:
    import pyarrow as pa

UTF8 = "utf-8-sig"
SEPARATORS = ",;\t|"
SNIFF_ROWS = 50
"""Rows by which the separator is chosen."""
BLOCK_BYTES = 1 << 23
"""Bytes that are parsed at once; no row may be longer."""
MAX_COLUMNS = 20_000


@dataclass(frozen=True, kw_only=True)
class TextFile:
    """A CSV file whose format is known. `names`: of the columns; those without a name have an empty one.

    `numeric`: whether the first cells of each column are plain numbers; false if the file is not in UTF-8, or may hold
    hexadecimal numbers, which pyarrow would take for numbers.
    """

    path: Path
    separator: str
    encoding: str
    names: tuple[str, ...]
    numeric: tuple[bool, ...]
    notes: tuple[str, ...] = ()

    @staticmethod
    def opened(path: Path, form: TextFormat) -> TextFile:
        """The file with what the format leaves open found out. StudyError if it cannot be told, or is no table."""
        notes, has_hexadecimals = _scanned(path, is_known=form.encoding is not None)
        encoding = form.encoding or _encoding(path)
        with _stream(path) as stream:
            lines = io.TextIOWrapper(stream, encoding, newline="").__iter__()
            try:
                head = [line for _, line in zip(range(SNIFF_ROWS), lines, strict=False)]
            except (UnicodeDecodeError, LookupError) as error:
                raise _undecodable(path, encoding, error=error) from error
        if any(len(line) > csv.field_size_limit() for line in head):
            raise StudyError(f"{path}: a row has {max(map(len, head))} characters", "is it a table?")
        separator = _separator(path, head, given=form.sep)
        rows = [row for row in csv.reader(head, delimiter=separator) if row]
        names = [name.strip() for name in rows[0]] if rows else []
        if len(rows) > 1 and len(rows[1]) == len(names) + 1 and not rows[1][-1]:
            names.append("")  # every row but the header ends with a separator
        _check_names(path, names)
        is_clear = encoding == UTF8 and not has_hexadecimals
        numeric = tuple(is_clear and _is_numeric(rows[1:], column) for column in range(len(names)))
        return TextFile(
            path=path, separator=separator, encoding=encoding, names=tuple(names), numeric=numeric, notes=notes
        )

    def table(self) -> tuple[pa.Table, tuple[str, ...]]:
        """All rows as text, null where a cell is empty; and notes. StudyError names a row that is not complete."""
        import pyarrow.csv

        with _stream(self.path) as stream, _Parsing(self) as parsing:
            return self._tidied(pyarrow.csv.read_csv(stream, **parsing.options()))

    def typed_table(self, text: Collection[str]) -> tuple[pa.Table, tuple[str, ...]] | None:
        """As `table`, but columns of plain numbers as 64-bit numbers, in less time; columns in `text` stay text.

        None if pyarrow has taken other cells for values of a type, such as nan, 12:30 or true.
        """
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.csv

        untyped = [numeric and name not in text for numeric, name in zip(self.numeric, self.names, strict=True)]
        with _stream(self.path) as stream, _Parsing(self) as parsing:
            table = pyarrow.csv.read_csv(stream, **parsing.options(untyped))
        for column in table.columns:
            if column.type not in (pa.null(), pa.int64(), pa.float64(), pa.string()):
                return None
            if column.type == pa.float64() and pc.any(pc.is_nan(column)).as_py():
                return None
        return self._tidied(table)

    def batches(self) -> Iterator[pa.Table]:
        """As `table`, some rows at a time."""
        import pyarrow as pa
        import pyarrow.csv

        with _stream(self.path) as stream, _Parsing(self) as parsing:
            for batch in pyarrow.csv.open_csv(stream, **parsing.options()):
                yield self._tidied(pa.Table.from_batches([batch]))[0]

    def _tidied(self, table: pa.Table) -> tuple[pa.Table, tuple[str, ...]]:
        """Without rows that have no value at all, and without empty columns that have no name."""
        import pyarrow.compute as pc

        if self.encoding != UTF8:  # else the bytes were looked at
            for column in filter(_is_text, table.columns):
                if pc.any(pc.match_substring(column, "\0")).as_py():
                    raise StudyError(f"{self.path} holds NUL characters", "is it a text file, and in this encoding?")
        notes = list(self.notes)
        has_value = None
        for column in table.columns:
            present = pc.is_valid(column)
            has_value = present if has_value is None else pc.or_(has_value, present)
            if pc.all(has_value).as_py():
                break
        else:
            n_rows = table.num_rows
            table = table.filter(has_value) if has_value is not None else table
            notes.append(f"{self.path.name}: {n_rows - table.num_rows} rows have no value at all and are left out")
        kept, names = [], []
        for i, name in enumerate(self.names):
            column = table.column(i)
            if not name and (_is_blank(column) if _is_text(column) else column.null_count == len(column)):
                continue
            if not name and i == 0 and _numbers_rows(column):
                notes.append(f"{self.path.name}: the first column has no name and numbers the rows: left out")
                continue
            if not name:
                raise StudyError(f"{self.path}: column {i + 1} has no name", "name it in the header")
            kept.append(column)
            names.append(name)
        return _table(kept, names), tuple(notes)


class _Parsing:
    """A context that converts errors of the parser to a StudyError with the file's name."""

    def __init__(self, file: TextFile) -> None:
        self._file = file
        self._refused: list[Any] = []

    def options(self, untyped: Sequence[bool] = ()) -> dict[str, Any]:
        """Options of pyarrow's CSV readers: every row complete, every cell as text but those of `untyped` columns."""
        import pyarrow as pa
        import pyarrow.csv

        keys = [str(i) for i in range(len(self._file.names))]  # names may be empty
        texts = [key for i, key in enumerate(keys) if not (untyped and untyped[i])]
        return {
            "read_options": pyarrow.csv.ReadOptions(
                use_threads=False,
                block_size=BLOCK_BYTES,
                column_names=keys,
                skip_rows_after_names=1,
                encoding="utf8" if self._file.encoding == UTF8 else self._file.encoding,
            ),
            "parse_options": pyarrow.csv.ParseOptions(
                delimiter=self._file.separator, newlines_in_values=True, invalid_row_handler=self._refuse
            ),
            "convert_options": pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(texts, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        }

    def _refuse(self, row: Any) -> str:
        self._refused.append(row)
        return "error"

    def __enter__(self) -> _Parsing:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        import pyarrow as pa

        path = self._file.path
        if self._refused and error is not None:
            row = self._refused[0]
            at = "a row" if row.number is None else "the first row" if row.number == 2 else f"row {row.number - 2}"
            raise StudyError(
                f"{path}: {at} has {row.actual_columns} fields, the header {row.expected_columns}: {row.text[:50]!r}",
                "complete it, or give every column a name; cells that hold the separator need quotes",
            ) from error
        if isinstance(error, UnicodeDecodeError) or (isinstance(error, pa.ArrowInvalid) and "UTF8" in str(error)):
            raise _undecodable(path, self._file.encoding, error=error) from error
        if isinstance(error, pa.ArrowInvalid) and "straddling" in str(error):
            raise StudyError(f"{path}: a row is longer than {BLOCK_BYTES >> 20} MB", "is it a table?") from error
        if isinstance(error, (pa.ArrowInvalid, OSError, EOFError)):
            raise StudyError(f"cannot read {path}: {error}", "is it a complete CSV file?") from error


def _is_numeric(rows: Sequence[Sequence[str]], column: int) -> bool:
    """Whether a column of these rows holds plain numbers, at least one."""
    cells = [row[column] for row in rows if column < len(row) and row[column]]
    return bool(cells) and all(re.match(PLAIN, cell, re.ASCII) for cell in cells)


def _is_text(column: pa.ChunkedArray) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(column.type))


def _is_blank(column: pa.ChunkedArray) -> bool:
    """Whether no cell of a column of text has a character."""
    import pyarrow.compute as pc

    return not pc.any(pc.not_equal(pc.fill_null(column, ""), "")).as_py()


def _table(columns: Sequence[pa.ChunkedArray], names: Sequence[str]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_arrays(list(columns), names=list(names))


def _stream(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")  # type: ignore[return-value]  # a binary file


def _scanned(path: Path, *, is_known: bool) -> tuple[tuple[str, ...], bool]:
    """Notes on the bytes of a file, and whether there may be a hexadecimal number in it.

    StudyError if a quote is not closed, or if they are no text of a known encoding.
    """
    n_quotes, last, first = 0, b"", b""
    has_hexadecimals, last_byte = False, b""
    try:
        with _stream(path) as stream:
            while block := stream.read(BLOCK_BYTES):
                first, last = first or block[:4], block
                if b"\0" in block and not is_known and not first.startswith((b"\xff\xfe", b"\xfe\xff")):
                    raise StudyError(f"{path} holds NUL bytes", "is it a text file? give its --encoding if so")
                n_quotes += block.count(b'"')
                has_hexadecimals = has_hexadecimals or bool(re.search(b"0[xX]", last_byte + block))
                last_byte = block[-1:]
    except (OSError, EOFError) as error:
        raise StudyError(f"cannot read {path}: {error}", "is it complete?") from error
    if n_quotes % 2:
        raise StudyError(f"{path}: a quote is not closed ({n_quotes} quotes)", "complete the file, or double a quote")
    if last and not last.endswith((b"\n", b"\r", b"\n\0", b"\0\n")):
        note = f"{path.name}: the last line does not end with a newline: if it was cut off, so is its last value"
        return (note,), has_hexadecimals
    return (), has_hexadecimals


def _encoding(path: Path) -> str:
    with _stream(path) as stream:
        mark = stream.read(4)
    return "utf-16" if mark.startswith((b"\xff\xfe", b"\xfe\xff")) else UTF8


def _undecodable(path: Path, encoding: str, *, error: BaseException | None) -> StudyError:
    reason, name = getattr(error, "reason", None) or str(error), "UTF-8" if encoding == UTF8 else encoding
    return StudyError(f"{path} is not in {name} ({reason})", "give its --encoding, such as latin-1 or cp1252")


def _separator(path: Path, head: Sequence[str], *, given: str | None) -> str:
    """The separator that gives every row of `head` as many fields as the header. StudyError if several do."""
    if given is not None:
        return given
    n_fields = {
        separator: [len(row) for row in csv.reader(head, delimiter=separator) if any(row)] for separator in SEPARATORS
    }
    whole = [s for s, counts in n_fields.items() if counts and counts[0] > 1 and _is_regular(counts)]
    if len(whole) > 1:
        names = " or ".join(repr(separator) for separator in whole)
        raise StudyError(f"{path}: the columns may be separated by {names}", "give --sep")
    if whole:
        return whole[0]
    return max(SEPARATORS, key=lambda separator: n_fields[separator][0] if n_fields[separator] else 0)


def _is_regular(counts: Sequence[int]) -> bool:
    """Whether all rows have the fields of the header; an empty one may follow."""
    return all(count in (counts[0], counts[0] + 1) for count in counts[:-1]) and counts[-1] <= counts[0] + 1


def _check_names(path: Path, names: Sequence[str]) -> None:
    if len(names) > MAX_COLUMNS:
        raise StudyError(f"{path} has {len(names)} columns", f"at most {MAX_COLUMNS} can be searched: select some")
    seen: set[str] = set()
    for name in names:
        if name and name in seen:
            raise StudyError(f"{path}: column {name!r} occurs twice", "rename one of them")
        seen.add(name)


def _numbers_rows(column: pa.ChunkedArray) -> bool:
    """Whether the cells are consecutive whole numbers, as of an index that was written along."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        numbers = pc.cast(column, pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        return False
    return bool(len(numbers) and column.null_count == 0 and (np.diff(numbers) == 1).all())
