"""The columns of a data set, by which new rows are read in the same way."""

from __future__ import annotations

from dataclasses import dataclass

FLAGS, CODES, DATE = "flags", "codes", "date"


@dataclass(frozen=True)
class Column:
    """One input column: numbers, unless it has `levels`.

    `kind` "flags": text, each level is a 0/1 input; "codes": text with many levels, the input is the position of the
    level; "date": each level is a part of the date that is an input.
    """

    name: str
    levels: tuple[str, ...] | None = None
    kind: str = FLAGS

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs of this column.

        >>> Column("steel", ("hard", "soft")).inputs
        ('steel=hard', 'steel=soft')
        """
        if self.levels is None or self.kind == CODES:
            return (self.name,)
        joint = "=" if self.kind == FLAGS else "."
        return tuple(f"{self.name}{joint}{level}" for level in self.levels)


@dataclass(frozen=True, kw_only=True)
class Schema:
    """Columns by role. `left_out` are known but not used; `missing` is a number that means "no value"."""

    columns: tuple[Column, ...] = ()
    target: str = ""
    group: str | None = None
    time: str | None = None
    left_out: tuple[str, ...] = ()
    missing: float | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of all inputs, in the order of a pipeline's input values."""
        return tuple(name for column in self.columns for name in column.inputs)
