"""The columns of a data set, by which new rows are read in the same way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One input column: numbers, or text with these `levels`, each of which is a 0/1 input."""

    name: str
    levels: tuple[str, ...] | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs of this column.

        >>> Column("steel", ("hard", "soft")).inputs
        ('steel=hard', 'steel=soft')
        """
        return (self.name,) if self.levels is None else tuple(f"{self.name}={level}" for level in self.levels)


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
