"""The data of a study: where its rows are, how they are written, and what its columns mean."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Literal

from pydantic import Field, field_validator

from cemai_opt.core.option import Strict, option

MAX_NAME = 255
"""Bytes in the name of a file: NAME_MAX of Linux."""


class DataSpec(Strict):
    """The source of the rows, and the target to predict."""

    source: str = Field(default="tabular", description="Name of a data source, a part under `datasets/`.")
    path: str | None = option(
        "data", "CSV or Parquet file (gzip too), or a folder in which each file is one group.", metavar="PATH"
    )
    append: tuple[str, ...] = option(
        "append", "More files or folders with the same columns, oldest first.", default=(), metavar="PATH,PATH"
    )
    test: str | None = option("test", "File or folder with the test rows.", metavar="PATH")
    sample_rows: int | None = option(
        "sample_rows",
        "Rows to read of a folder, in whole files that are chosen at random.",
        metavar="N",
        default_text="all, or as many as fit into memory",
        ge=1,
    )
    rows: int | None = option("rows", "Rows to generate, of generated data.", metavar="N", ge=1)
    target: str | None = option("target", "Column to predict.", metavar="COL")
    group: str | None = option("group", "Column of units, tools or experiments; a group is never split.", metavar="COL")
    time: str | None = option("time", "Column that orders the rows of a group, or DATE,TIME.", metavar="COL")
    test_groups: tuple[str, ...] = option("test_groups", "Groups that are the test rows.", default=(), metavar="A,B")
    test_last: float = option(
        "test_last",
        "Share of the last --append that is the test rows: its last groups, or the last rows of a single one.",
        default=0.0,
        metavar="SHARE",
        ge=0.0,
        lt=1.0,
        default_text="none",
    )
    ignore: tuple[str, ...] = option("ignore", "Columns to leave out.", default=(), metavar="A,B")
    regime: tuple[str, ...] = option(
        "regime",
        "Columns by which operating regimes are told apart, where a pipeline normalises by regime.",
        default=(),
        metavar="A,B",
        default_text="all inputs",
    )
    sep: str | None = option(
        "sep", "Separator of columns.", metavar="CHAR|tab", default_text="found out: comma, semicolon, tab or bar"
    )
    decimal: Literal[".", ","] | None = option(
        "decimal", "Decimal separator.", default_text="found out over all columns"
    )
    thousands: Literal[",", ".", "'", " ", "_"] | None = option(
        "thousands", "Separator of thousands.", default_text="none, or a comma that cannot be decimal"
    )
    encoding: str | None = option(
        "encoding", "Encoding of text files.", metavar="NAME", default_text="UTF-8, or UTF-16 by its mark"
    )
    na: tuple[str, ...] = option(
        "na",
        'Words that mean "no value" in every column; "" is a quoted empty cell.',
        default=(),
        metavar="A,B",
        default_text="empty cells; in numbers also NA, null, -",
    )
    keep_text: tuple[str, ...] = option(
        "keep_text", "Columns that are text even if they look like numbers.", default=(), metavar="A,B"
    )
    date_format: str | None = option(
        "date_format", "Format of dates, such as %d/%m/%Y.", metavar="FORMAT", default_text="found out if it is clear"
    )
    encode: bool = option(
        "encode", "Encode text with many values, and use hour, weekday and month of dates.", default=True
    )
    calendar: Literal["auto", "always", "never"] = option(
        "calendar",
        "Hour, weekday and month of the time as inputs, by the clock by which it is written.",
        default="auto",
        default_text="auto: where series of dates are long enough to learn from",
    )
    missing: float | None = option("missing", 'A number that means "no value", such as -200.', metavar="VALUE")
    clip_target: float | None = option(
        "clip_target", "Upper limit of the target, as for remaining useful life.", metavar="MAX"
    )
    positive: str | None = option(
        "positive",
        "The positive class of two.",
        metavar="CLASS",
        default_text="the rarer label, or the larger number",
    )
    horizon: int = option(
        "horizon", "Predict the target H rows ahead, in the same group.", default=0, metavar="H", ge=0
    )
    past_target: bool = option(
        "past_target", "With --horizon, the present value of the target is an input.", default=True
    )

    @property
    def paths(self) -> tuple[str, ...]:
        """All files and folders that rows are read from."""
        return tuple(path for path in (self.path, *self.append, self.test) if path is not None)

    def with_paths(self, moved: Callable[[str], str]) -> DataSpec:
        """The same data with other paths."""
        moved_to = {
            key: None if path is None else moved(path) for key, path in (("path", self.path), ("test", self.test))
        }
        return self.model_copy(update={**moved_to, "append": tuple(moved(path) for path in self.append)})

    @field_validator("path", "test", "append")
    @classmethod
    def _is_path(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        for path in (value,) if isinstance(value, str) else value or ():
            if "\0" in path or any(len(os.fsencode(part)) > MAX_NAME for part in path.split("/")):
                raise ValueError("this is no path of a file")
        return value
