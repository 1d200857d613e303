"""The columns of a data set, by which new rows are read in the same way."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError

FLAGS, CODES, DATE = "flags", "codes", "date"
UTC, LOCAL = "utc", "local"
"""By which clock the parts of a date are: that of Greenwich, or that by which it is written."""
QUOTED_EMPTY = '""'
"""How `--na` names a quoted cell without any text, which is a label otherwise."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One input column: numbers, unless it has `levels`.

    `kind` "flags": text, each level is a 0/1 input; "codes": text with many levels, the input is the position of the
    level; "date": each level is a part of the date that is an input, `style` is how dates are written (`_dates.py`),
    `zone` whose clock counts. A date may be the time.
    """

    name: str
    levels: tuple[str, ...] | None = None
    kind: str = FLAGS
    style: str = "iso"
    zone: str = UTC

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs of this column.

        >>> Column(name="steel", levels=("hard", "soft")).inputs
        ('steel=hard', 'steel=soft')
        """
        if self.levels is None or self.kind == CODES:
            return (self.name,)
        joint = "=" if self.kind == FLAGS else "."
        return tuple(f"{self.name}{joint}{level}" for level in self.levels)


@dataclass(frozen=True, kw_only=True)
class TextFormat:
    """How files of text are written, as far as it was given; what is None is found out for each file.

    `na`: words that mean "no value" in every column. `date_format`: as of `datetime.strptime`.
    """

    sep: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    na: tuple[str, ...] = ()
    date_format: str | None = None


@dataclass(frozen=True, kw_only=True)
class Schema:
    """Columns by role. `left_out` are known but not used; `missing` is a number that means "no value"."""

    columns: tuple[Column, ...] = ()
    target: str = ""
    group: str | None = None
    time: str | None = None
    left_out: tuple[str, ...] = ()
    missing: float | None = None
    text_format: TextFormat = TextFormat()
    time_parts: tuple[str, ...] = ()
    """The columns of date and time, if the time is in two."""
    time_style: str = "iso"
    """How moments are written, if they are dates."""

    @property
    def time_columns(self) -> tuple[str, ...]:
        """The columns that the time is read from."""
        return self.time_parts or ((self.time,) if self.time is not None else ())

    @property
    def input_columns(self) -> tuple[str, ...]:
        """Columns of a file that inputs are read from, besides those of the time."""
        return tuple(column.name for column in self.columns if column.name != self.time)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of all inputs, in the order of a pipeline's input values."""
        return tuple(name for column in self.columns for name in column.inputs)


def format_of(spec: DataSpec) -> TextFormat:
    """How files of text are written, as far as the study says it. StudyError if it makes no sense."""
    sep = {"tab": "\t", "\\t": "\t"}.get(spec.sep or "", spec.sep)
    if sep is not None and (len(sep) != 1 or sep in '"\r\n\0'):
        raise StudyError(f"--sep {spec.sep!r} is not one character", "give one, or tab")
    if spec.encoding is not None:
        try:
            codecs.lookup(spec.encoding)
        except LookupError as error:
            raise StudyError(f"there is no encoding {spec.encoding!r}", "such as latin-1, cp1252, utf-16") from error
    if spec.thousands is not None and spec.thousands == spec.decimal:
        raise StudyError(f"--decimal and --thousands are both {spec.decimal!r}", "give two different ones")
    return TextFormat(
        sep=sep,
        decimal="," if spec.thousands == "." else spec.decimal,
        thousands=spec.thousands,
        encoding=spec.encoding,
        na=tuple("" if word == QUOTED_EMPTY else word for word in spec.na),
        date_format=spec.date_format,
    )
