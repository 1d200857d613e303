"""Hyperparameters, which stages and models declare with their ranges, so that a search can vary them."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cemai_opt.core.errors import StudyError, nearest

Value = bool | int | float | str
"""Type of a hyperparameter's value."""


@dataclass(frozen=True, kw_only=True)
class Hyperparameter:
    """Either one of `choices`, or a number between `low` and `high` (both included).

    `when` is the name of another hyperparameter and those of its values for which this one is active. With
    `searched=False` the default value is used unless a search space file says otherwise. Numbers above `usual` are
    valid, but searched only where a search space file or long groups of rows say so. What `needs_start` is searched
    only where rows to predict come with the first rows of their group, or where a search space file names it.
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
    usual: float | None = None
    needs_start: bool = False

    def follows(self, params: Mapping[str, Value]) -> bool:
        """Whether its condition holds, given the active hyperparameters before it."""
        return self.when is None or params.get(self.when[0]) in self.when[1]

    def check(self, value: Value) -> Value:
        """`value` in the type of this hyperparameter. StudyError if it is outside the range."""
        if self.choices:
            for choice in self.choices:
                if choice == value and isinstance(choice, bool) == isinstance(value, bool):
                    return choice
            hint = nearest(str(value), [str(c) for c in self.choices])
            raise StudyError(f"{self.name}: {value!r} is not one of {list(self.choices)}", hint)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= sys.float_info.max:
            raise StudyError(f"{self.name}: {value!r} is not a number", f"use {self.low:g} to {self.high:g}")
        if not self.low <= value <= self.high:
            raise StudyError(
                f"{self.name}: {value!r} is outside {self.low:g} to {self.high:g}", "choose a value inside"
            )
        if self.is_integer and value != int(value):
            raise StudyError(f"{self.name}: {value!r} is not a whole number", "round it")
        return int(value) if self.is_integer else float(value)

    def holds(self, value: Value) -> bool:
        """Whether the value is inside the range."""
        try:
            self.check(value)
        except StudyError:
            return False
        return True

    def unit_values(self, value: Value | None) -> list[float]:
        """A number scaled to 0..1; a choice in one-hot encoding; 0 for None.

        >>> real("rows", 10.0, high=50.0, default=30.0).unit_values(20)
        [0.25]
        """
        if self.choices:
            return [float(value == choice) for choice in self.choices]
        if value is None or self.low == self.high:
            return [0.0]
        low, high, x = (math.log(v) if self.log else v for v in (self.low, self.high, float(value)))
        return [(x - low) / (high - low)]

    def narrowed(self, spec: object) -> Hyperparameter:
        """This hyperparameter narrowed to a value (fixed), a list of choices, or {low, high}; never widened."""
        if isinstance(spec, Mapping):
            return self._narrowed_range(spec)
        if isinstance(spec, Sequence) and not isinstance(spec, str):
            if not spec:
                raise StudyError(f"{self.name}: an empty list of choices", "give at least one")
            kept = tuple(dict.fromkeys(self.check(value) for value in spec))
            default = self.default if self.default in kept else kept[0]
            return replace(self, choices=kept, default=default, searched=len(kept) > 1)
        if isinstance(spec, (bool, int, float, str)):
            return replace(self, default=self.check(spec), searched=False)
        raise StudyError(f"{self.name}: cannot read {spec!r}", "give a value, a list or {low: ..., high: ...}")

    def up_to(self, rows: int) -> Hyperparameter:
        """This hyperparameter with the range that is searched where groups have this many rows."""
        if self.usual is None:
            return self
        return replace(self, high=min(max(self.usual, rows), self.high), usual=None)

    def _narrowed_range(self, spec: Mapping[object, object]) -> Hyperparameter:
        unknown = [str(key) for key in spec if key not in ("low", "high")]
        if unknown:
            raise StudyError(f"{self.name}: unknown key {unknown[0]!r}", nearest(unknown[0], ["low", "high"]))
        if self.choices:
            raise StudyError(f"{self.name}: a range for a choice", f"list some of {list(self.choices)}")
        low, high = (self._number(spec.get(key, own)) for key, own in (("low", self.low), ("high", self.high)))
        if low > high:
            raise StudyError(f"{self.name}: low {low:g} is above high {high:g}", "swap them")
        default = self.check(min(max(self._number(self.default), low), high))
        return replace(self, low=low, high=high, default=default, searched=low < high)

    def _number(self, value: object) -> float:
        """A number inside the range; StudyError for everything else."""
        return float(self.check(value))  # type: ignore[arg-type]  # check() raises for other types


def integer(name: str, low: int, *, high: int, default: int, **options: object) -> Hyperparameter:
    """A whole number from `low` to `high`."""
    return Hyperparameter(name=name, default=default, low=low, high=high, is_integer=True, **options)  # type: ignore[arg-type]  # passed on


def real(name: str, low: float, *, high: float, default: float, **options: object) -> Hyperparameter:
    """A number from `low` to `high`."""
    return Hyperparameter(name=name, default=default, low=low, high=high, **options)  # type: ignore[arg-type]  # passed on


def choice(name: str, choices: Sequence[Value], *, default: Value, **options: object) -> Hyperparameter:
    """One of `choices`."""
    return Hyperparameter(name=name, default=default, choices=tuple(choices), **options)  # type: ignore[arg-type]  # passed on


def flag(name: str, default: bool, **options: object) -> Hyperparameter:
    """A boolean hyperparameter."""
    return choice(name, (False, True), default=default, **options)
