"""Turns the target column into numbers or class codes, guessing the task where it is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cemai_opt.core.batch import FloatArray
from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.spec import DataSpec
from cemai_opt.datasets._columns import MAX_LEVELS, is_number, refuse_nearly_numeric

MAX_CLASSES = 10
"""Whole numbers with at most this many distinct values are guessed to be classes."""


@dataclass(frozen=True)
class Goal:
    """The target in numbers: `y` (n_rows,), NaN where there is none; what was guessed is in the notes."""

    y: FloatArray
    task: str
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def goal_of(values: pd.Series, task: str, spec: DataSpec) -> Goal:
    """The target of every row. StudyError where it is empty, constant, infinite, or does not fit the task."""
    present = values.dropna()
    if present.empty:
        raise StudyError(f"target column {values.name!r} is empty", "choose another --target")
    numeric = is_number(values)
    if numeric and np.isinf(present.to_numpy(np.float64)).any():
        raise StudyError(f"target column {values.name!r} holds infinite values", "mend or drop those rows")
    notes: tuple[str, ...] = ()
    if not numeric and task != "classification":
        refuse_nearly_numeric(values)
    if task == "auto":
        few = numeric and present.nunique() <= MAX_CLASSES and bool((present == present.round()).all())
        task = "classification" if few or not numeric else "regression"
        notes = (f"task: {task} (guessed from {values.name!r}; --task says otherwise)",)
    if present.nunique() == 1:
        raise StudyError(
            f"target column {values.name!r} is constant ({present.iloc[0]})", "there is nothing to predict"
        )
    if task == "classification":
        return _classes(values, present, notes, spec)
    if not numeric:
        raise StudyError(
            f"target column {values.name!r} is not numeric (such as {present.iloc[0]!r})",
            "a regression needs numbers; use --task classification for classes",
        )
    y = values.to_numpy(np.float64, na_value=np.nan)
    if spec.clip_target is not None:
        y = np.minimum(y, spec.clip_target)
        if np.nanmin(y) == np.nanmax(y):
            raise StudyError(f"--clip-target {spec.clip_target:g} makes every target the same", "give a larger cap")
    return Goal(y, task, notes=notes)


def _classes(values: pd.Series, present: pd.Series, notes: tuple[str, ...], spec: DataSpec) -> Goal:
    if spec.clip_target is not None:
        raise StudyError(
            "--clip-target caps a number, and the target is a class", "leave it out, or use --task regression"
        )
    if not is_number(values) and not pd.api.types.is_bool_dtype(values):
        refuse_nearly_numeric(values)
        values = values.astype(str).where(values.notna())
        present = values.dropna()
    levels = sorted(present.unique())
    if len(levels) == 2:
        levels, note = _positive_last(levels, present, spec.positive)
        notes = (*notes, note)
    elif spec.positive is not None:
        raise StudyError(f"--positive needs two classes, the target has {len(levels)}", "leave it out")
    if len(levels) > max(MAX_LEVELS, len(present) // 10):
        raise StudyError(
            f"target column {values.name!r} has {len(levels)} classes in {len(present)} rows",
            "use --task regression, or another --target",
        )
    codes = values.map({level: float(code) for code, level in enumerate(levels)})
    names = tuple(_class_name(level) for level in levels)
    return Goal(codes.to_numpy(np.float64), "classification", names, notes)


def _class_name(level: Any) -> str:
    """A whole number without its decimal point, anything else as it is."""
    return f"{level:g}" if isinstance(level, (float, np.floating)) else str(level)


def _positive_last(levels: list[Any], present: pd.Series, wanted: str | None) -> tuple[list[Any], str]:
    """Two classes, the one that f1 looks for last: the one asked for, else the larger number or the rarer word."""
    names = [_class_name(level) for level in levels]
    if wanted is not None:
        if wanted not in names:
            raise StudyError(f"--positive {wanted}: the target has no such class", nearest(wanted, names))
        positive, why = names.index(wanted), "as given"
    elif isinstance(levels[0], str):
        counts = present.value_counts()
        positive, why = (0 if counts[levels[0]] < counts[levels[1]] else 1), "the rarer; --positive says otherwise"
    else:
        positive, why = 1, "the larger; --positive says otherwise"
    share = float((present == levels[positive]).mean())
    note = f"positive class: {names[positive]!r}, {share:.1%} of the rows ({why})"
    return [levels[1 - positive], levels[positive]], note
