"""What the columns of a data set are, so that new rows can be read as the old ones were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from cemai_opt.datasets._dataset import NewRows


@dataclass(frozen=True)
class Column:
    """One input column: numbers, or text with these `levels`, each of which is a 0/1 input."""

    name: str
    levels: tuple[str, ...] | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs that it makes.

        >>> Column("steel", ("hard", "soft")).inputs
        ('steel=hard', 'steel=soft')
        """
        return (self.name,) if self.levels is None else tuple(f"{self.name}={level}" for level in self.levels)


@dataclass(frozen=True)
class Schema:
    """Columns by what they are for. `left_out` are known and not used; `missing` is a number that means "no value"."""

    columns: tuple[Column, ...] = ()
    target: str = ""
    group: str | None = None
    time: str | None = None
    left_out: tuple[str, ...] = ()
    missing: float | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of all inputs, in the order of the numbers that a pipeline is given."""
        return tuple(name for column in self.columns for name in column.inputs)

    def read(self, path: Path, scratch: Path) -> NewRows:
        """The rows of a file or folder as numbers, kept in folder `scratch` however many there are.

        StudyError where a column is missing, extra, or not what it was.
        """
        from cemai_opt.datasets._new_rows import read_new_rows

        return read_new_rows(path, self, scratch)

    def rows_of(self, frame: pd.DataFrame) -> NewRows:
        """The rows of a frame as numbers. StudyError where a column is missing, extra, or not what it was."""
        from cemai_opt.datasets._new_rows import rows_of_frame

        return rows_of_frame(frame, self)

    def pieces(self, path: Path) -> Iterator[pd.DataFrame]:
        """The rows of a file or folder as they stand there, a piece at a time."""
        from cemai_opt.datasets._new_rows import known_pieces

        return known_pieces(path, self)

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {
            "columns": [{"name": c.name, "levels": None if c.levels is None else list(c.levels)} for c in self.columns],
            "target": self.target,
            "group": self.group,
            "time": self.time,
            "left_out": list(self.left_out),
            "missing": self.missing,
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Schema:
        """The schema that `to_json` wrote."""
        columns = (
            Column(str(c["name"]), None if c["levels"] is None else tuple(c["levels"])) for c in document["columns"]
        )
        return Schema(
            columns=tuple(columns),
            target=str(document["target"]),
            group=document["group"],
            time=document["time"],
            left_out=tuple(document["left_out"]),
            missing=document["missing"],
        )
