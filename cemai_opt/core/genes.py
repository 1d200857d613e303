"""A gene: one knob that a part declares with its range, so that a search can turn it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cemai_opt.core.errors import StudyError, nearest

Value = bool | int | float | str
"""What a gene can hold."""


@dataclass(frozen=True)
class Gene:
    """One knob: either `choices`, or a number between `low` and `high` (both included).

    `when` names another knob and the values of it under which this one matters.
    `searched=False` keeps a knob at its default unless a search space opens it.
    """

    name: str
    default: Value
    choices: tuple[Value, ...] = ()
    low: float = 0.0
    high: float = 0.0
    is_integer: bool = False
    log: bool = False
    unit: str = ""
    when: tuple[str, tuple[Value, ...]] | None = None
    searched: bool = True

    def check(self, value: Value) -> Value:
        """`value` in this gene's own type. StudyError where it lies outside the range."""
        if self.choices:
            for choice in self.choices:
                if choice == value and isinstance(choice, bool) == isinstance(value, bool):
                    return choice
            hint = nearest(str(value), [str(c) for c in self.choices])
            raise StudyError(f"{self.name}: {value!r} is not one of {list(self.choices)}", hint)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise StudyError(f"{self.name}: {value!r} is not a number", f"use {self.low:g} to {self.high:g}")
        if not self.low <= value <= self.high:
            raise StudyError(
                f"{self.name}: {value!r} lies outside {self.low:g} to {self.high:g}", "choose a value inside"
            )
        if self.is_integer and value != int(value):
            raise StudyError(f"{self.name}: {value!r} is not a whole number", "round it")
        return int(value) if self.is_integer else float(value)

    def holds(self, value: Value) -> bool:
        """Is the value inside this gene's range?"""
        try:
            self.check(value)
        except StudyError:
            return False
        return True

    def unit_values(self, value: Value | None) -> list[float]:
        """A number on a scale from 0 to 1; a choice as a 1 among 0s; 0 for None.

        >>> Gene("rows", 30, low=10.0, high=50.0).unit_values(20)
        [0.25]
        """
        if self.choices:
            return [float(value == choice) for choice in self.choices]
        if value is None or self.low == self.high:
            return [0.0]
        low, high, x = (math.log(v) if self.log else v for v in (self.low, self.high, float(value)))
        return [(x - low) / (high - low)]

    def narrowed(self, lens: object) -> Gene:
        """This gene seen through a lens: a value (fixed), a list of choices, or {low, high}; never wider."""
        if isinstance(lens, Mapping):
            return self._narrowed_range(lens)
        if isinstance(lens, Sequence) and not isinstance(lens, str):
            if not lens:
                raise StudyError(f"{self.name}: an empty list of choices", "name at least one")
            kept = tuple(dict.fromkeys(self.check(value) for value in lens))
            default = self.default if self.default in kept else kept[0]
            return replace(self, choices=kept, default=default, searched=len(kept) > 1)
        if isinstance(lens, (bool, int, float, str)):
            return replace(self, default=self.check(lens), searched=False)
        raise StudyError(f"{self.name}: cannot read {lens!r}", "give a value, a list or {low: ..., high: ...}")

    def _narrowed_range(self, lens: Mapping[object, object]) -> Gene:
        unknown = [str(key) for key in lens if key not in ("low", "high")]
        if unknown:
            raise StudyError(f"{self.name}: unknown key {unknown[0]!r}", nearest(unknown[0], ["low", "high"]))
        if self.choices:
            raise StudyError(f"{self.name}: a range for a choice", f"list some of {list(self.choices)}")
        low, high = (self._number(lens.get(key, own)) for key, own in (("low", self.low), ("high", self.high)))
        if low > high:
            raise StudyError(f"{self.name}: low {low:g} is above high {high:g}", "swap them")
        default = self.check(min(max(self._number(self.default), low), high))
        return replace(self, low=low, high=high, default=default, searched=low < high)

    def _number(self, value: object) -> float:
        """A number inside the range; `check` refuses everything else."""
        return float(self.check(value))  # type: ignore[arg-type]  # check() says what is wrong with it


def integer(name: str, low: int, high: int, default: int, **options: object) -> Gene:
    """A whole number from `low` to `high`."""
    return Gene(name, default, low=low, high=high, is_integer=True, **options)  # type: ignore[arg-type]  # passed on


def real(name: str, low: float, high: float, default: float, **options: object) -> Gene:
    """A number from `low` to `high`."""
    return Gene(name, default, low=low, high=high, **options)  # type: ignore[arg-type]  # passed on


def choice(name: str, choices: Sequence[Value], default: Value, **options: object) -> Gene:
    """One of `choices`."""
    return Gene(name, default, choices=tuple(choices), **options)  # type: ignore[arg-type]  # passed on


def flag(name: str, default: bool, **options: object) -> Gene:
    """Yes or no."""
    return choice(name, (False, True), default, **options)
