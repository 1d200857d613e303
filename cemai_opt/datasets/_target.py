"""Converts the target column to numbers or class codes, and infers the task if it is not given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cemai_opt.core.batch import FloatArray
from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.datasets._columns import MAX_LEVELS, is_number, refuse_nearly_numeric

MAX_CLASSES = 10
"""Whole numbers with at most this many distinct values are assumed to be classes."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """The target in numbers: `y` (n_rows,), NaN where there is none; the notes state what was inferred."""

    y: FloatArray
    task: str
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def target_of(values: pd.Series, task: str, *, spec: DataSpec) -> Target:
    """The target of every row. StudyError if it is empty, constant, infinite, or unsuitable for the task."""
    present = values.dropna()
    if present.empty:
        raise StudyError(f"target column {values.name!r} is empty", "choose another --target")
    numeric = is_number(values)
    if numeric and np.isinf(present.to_numpy(np.float64)).any():
        raise StudyError(f"target column {values.name!r} holds infinite values", "fix or drop those rows")
    notes: tuple[str, ...] = ()
    if not numeric and task != "classification":
        refuse_nearly_numeric(values)
    if task == "auto":
        few = numeric and present.nunique() <= MAX_CLASSES and bool((present == present.round()).all())
        task = "classification" if few or not numeric else "regression"
        notes = (f"task: {task} (inferred from {values.name!r}; change it with --task)",)
    if present.nunique() == 1:
        raise StudyError(
            f"target column {values.name!r} is constant ({present.iloc[0]})", "there is nothing to predict"
        )
    if task == "classification":
        return _classes(values, present, notes=notes, spec=spec)
    if not numeric:
        raise StudyError(
            f"target column {values.name!r} is not numeric (such as {present.iloc[0]!r})",
            "a regression needs numbers; use --task classification for classes",
        )
    y = values.to_numpy(np.float64, na_value=np.nan)
    if spec.clip_target is not None:
        y = np.minimum(y, spec.clip_target)
        if np.nanmin(y) == np.nanmax(y):
            raise StudyError(f"--clip-target {spec.clip_target:g} makes all targets equal", "give a larger limit")
    return Target(y=y, task=task, notes=notes)


def _classes(values: pd.Series, present: pd.Series, *, notes: tuple[str, ...], spec: DataSpec) -> Target:
    if spec.clip_target is not None:
        raise StudyError(
            "--clip-target limits numbers, but the target is a class", "leave it out, or use --task regression"
        )
    if not is_number(values) and not pd.api.types.is_bool_dtype(values):
        refuse_nearly_numeric(values)
        values = values.astype(str).where(values.notna())
        present = values.dropna()
    levels = sorted(present.unique())
    if len(levels) == 2:
        levels, note = _positive_last(levels, present, wanted=spec.positive)
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
    return Target(y=codes.to_numpy(np.float64), task="classification", classes=names, notes=notes)


def _class_name(level: Any) -> str:
    """A whole number without its decimal point, anything else unchanged."""
    return f"{level:g}" if isinstance(level, (float, np.floating)) else str(level)


def _positive_last(levels: list[Any], present: pd.Series, *, wanted: str | None) -> tuple[list[Any], str]:
    """Two classes, the positive one last: the given one, else the larger number or the rarer label."""
    names = [_class_name(level) for level in levels]
    if wanted is not None:
        if wanted not in names:
            raise StudyError(f"--positive {wanted}: the target has no such class", nearest(wanted, names))
        positive, why = names.index(wanted), "as given"
    elif isinstance(levels[0], str):
        counts = present.value_counts()
        positive, why = (0 if counts[levels[0]] < counts[levels[1]] else 1), "the rarer; change it with --positive"
    else:
        positive, why = 1, "the larger; change it with --positive"
    share = float((present == levels[positive]).mean())
    note = f"positive class: {names[positive]!r}, {share:.1%} of the rows ({why})"
    return [levels[1 - positive], levels[positive]], note
