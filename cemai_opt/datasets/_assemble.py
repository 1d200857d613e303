"""Checks raw rows against what a study asks of them, then turns them into numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cemai_opt.core.batch import FloatArray, IntArray, group_starts
from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.spec import DataSpec
from cemai_opt.datasets._dataset import Dataset, Frames

MAX_LEVELS = 20
"""A text column with more distinct values than this is a label or a note, not an input."""
MAX_CLASSES = 10
"""Whole numbers with at most this many distinct values are guessed to be classes."""
NEARLY_NUMERIC = 0.5
"""A text column in which at most this share is no number was meant to be numeric."""
ROW_GROUP = "row"
"""Group name of data without groups."""


def assemble(frames: Frames, spec: DataSpec, task: str) -> Dataset:
    """A data set from raw rows. StudyError says which column is at fault, and what to try."""
    rows, n_plain = _stacked(frames)
    if rows.empty:
        raise StudyError("the data has no rows", "check the file: is there more than a header?")
    group = spec.group or frames.group
    target = _require_column(rows, spec.target, "target")
    for kind, column in (("group", group), ("time", spec.time), *(("ignored", name) for name in spec.ignore)):
        if column is not None:
            _require_column(rows, column, kind)
    if spec.missing is not None:
        no_sensors = {group, spec.time, target if task == "classification" else None}
        measured = [column for column in rows.columns if column not in no_sensors]
        rows = rows.assign(**{column: rows[column].replace(spec.missing, np.nan) for column in measured})

    is_test = np.arange(len(rows)) >= n_plain
    group_codes, group_names = _groups(rows, group, spec, is_test)
    order = _order(rows, spec.time)
    by_group_and_time = np.lexsort((order, group_codes))
    rows = rows.iloc[by_group_and_time]
    group_codes, order = group_codes[by_group_and_time], order[by_group_and_time]
    is_test = is_test[by_group_and_time] | np.isin(
        group_codes, [i for i, n in enumerate(group_names) if n in spec.test_groups]
    )

    goal = _target(rows[target], task, spec)
    inputs = rows.drop(columns=[c for c in {target, group, spec.time, *spec.ignore} if c is not None])
    X, names, notes = _inputs(inputs, ~is_test)
    y = _shifted(goal.y, group_codes, spec.horizon)
    if not np.isfinite(y).any():
        raise StudyError(f"no row has a target {spec.horizon} rows later", "choose a shorter --horizon")
    return Dataset(
        X=X,
        y=y,
        group=group_codes,
        order=order,
        is_test=is_test,
        names=names,
        group_names=group_names,
        task=goal.task,
        classes=goal.classes,
        has_groups=group is not None,
        has_time=spec.time is not None,
        horizon=spec.horizon,
        notes=(*goal.notes, *notes, *_without_target(y)),
    )


def _stacked(frames: Frames) -> tuple[pd.DataFrame, int]:
    if frames.test is None:
        return frames.rows, len(frames.rows)
    absent = [c for c in frames.rows.columns if c not in frames.test.columns]
    if absent:
        raise StudyError(f"the test data lacks column {absent[0]!r}", nearest(absent[0], frames.test.columns))
    return pd.concat([frames.rows, frames.test[frames.rows.columns]], ignore_index=True), len(frames.rows)


def _require_column(rows: pd.DataFrame, column: str | None, kind: str) -> str:
    if column is None:
        raise StudyError("no target column was named", f"give --target; {nearest('', rows.columns)}")
    if column not in rows.columns:
        raise StudyError(f"{kind} column {column!r} is not in the data", nearest(column, rows.columns))
    return column


def _groups(
    rows: pd.DataFrame, column: str | None, spec: DataSpec, is_test: np.ndarray
) -> tuple[IntArray, tuple[str, ...]]:
    """Codes in order of first appearance; a name in the test data is another group than the same name elsewhere."""
    if column is None:
        if spec.test_groups:
            raise StudyError("--test-groups needs groups", "name their column with --group")
        names = np.full(len(rows), ROW_GROUP, object)
    else:
        if rows[column].isna().any():
            line = int(np.flatnonzero(rows[column].isna())[0])
            raise StudyError(f"group column {column!r} is empty in row {line}", "fill it, or drop those rows")
        names = rows[column].astype(str).to_numpy(object)
    codes, uniques = pd.factorize(np.where(is_test, "test:" + names, names))
    group_names = tuple(str(name) for name in uniques)
    for wanted in spec.test_groups:
        if wanted not in group_names:
            raise StudyError(f"there is no group {wanted!r} in column {column!r}", nearest(wanted, group_names))
    if column is not None and len(group_names) == 1:
        raise StudyError(
            f"column {column!r} holds one group only ({group_names[0]!r}), so none can be held out",
            "leave --group out to split by time or row order",
        )
    return codes.astype(np.int64), group_names


def _order(rows: pd.DataFrame, column: str | None) -> FloatArray:
    if column is None:
        return np.arange(len(rows), dtype=np.float64)
    values = rows[column]
    if _is_number(values):
        numbers = values.to_numpy(np.float64)
    else:
        stamps = _dates(values)
        numbers = stamps.astype("int64").to_numpy(np.float64)
        numbers[stamps.isna().to_numpy()] = np.nan
    if not np.isfinite(numbers).all():
        line = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise StudyError(
            f"time column {column!r}: cannot read {str(values.iloc[line])!r} in row {line} as a number or a date",
            "use numbers, ISO 8601 dates (2026-01-31 12:00), or dates with dots (31.01.2026 12:00)",
        )
    return numbers


def _dates(values: pd.Series) -> pd.Series:
    """ISO 8601 dates, or dates with dots, which put the day first; slashes mean either, so none is guessed."""
    dotted = values.astype(str).str.fullmatch(r"\s*\d{1,2}\.\d{1,2}\.\d{4}.*").all()
    if dotted:
        return pd.to_datetime(values, format="mixed", dayfirst=True, errors="coerce", utc=True)
    return pd.to_datetime(values, format="ISO8601", errors="coerce", utc=True)


@dataclass(frozen=True)
class _Goal:
    y: FloatArray
    task: str
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _target(values: pd.Series, task: str, spec: DataSpec) -> _Goal:
    present = values.dropna()
    if present.empty:
        raise StudyError(f"target column {values.name!r} is empty", "choose another --target")
    is_number = _is_number(values)
    if is_number and np.isinf(present.to_numpy(np.float64)).any():
        raise StudyError(f"target column {values.name!r} holds infinite values", "mend or drop those rows")
    notes: tuple[str, ...] = ()
    if not is_number and task != "classification":
        _refuse_nearly_numeric(values)
    if task == "auto":
        few = is_number and present.nunique() <= MAX_CLASSES and bool((present == present.round()).all())
        task = "classification" if few or not is_number else "regression"
        notes = (f"task: {task} (guessed from {values.name!r}; --task says otherwise)",)
    if present.nunique() == 1:
        raise StudyError(
            f"target column {values.name!r} is constant ({present.iloc[0]})", "there is nothing to predict"
        )
    if task == "classification":
        return _classes(values, present, notes, spec)
    if not is_number:
        raise StudyError(
            f"target column {values.name!r} is not numeric (such as {present.iloc[0]!r})",
            "a regression needs numbers; use --task classification for classes",
        )
    y = values.to_numpy(np.float64, na_value=np.nan)
    if spec.clip_target is not None:
        y = np.minimum(y, spec.clip_target)
        if np.nanmin(y) == np.nanmax(y):
            raise StudyError(f"--clip-target {spec.clip_target:g} makes every target the same", "give a larger cap")
    return _Goal(y, task, notes=notes)


def _classes(values: pd.Series, present: pd.Series, notes: tuple[str, ...], spec: DataSpec) -> _Goal:
    if spec.clip_target is not None:
        raise StudyError(
            "--clip-target caps a number, and the target is a class", "leave it out, or use --task regression"
        )
    if not _is_number(values) and not pd.api.types.is_bool_dtype(values):
        _refuse_nearly_numeric(values)
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
    return _Goal(codes.to_numpy(np.float64), "classification", names, notes)


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


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _inputs(columns: pd.DataFrame, seen: np.ndarray) -> tuple[FloatArray, tuple[str, ...], tuple[str, ...]]:
    """Numeric columns as they are, few-valued text as one 0/1 column a value, everything else left out aloud."""
    parts: list[FloatArray] = []
    names: list[str] = []
    notes: list[str] = []
    for name in columns.columns:
        values = columns[name]
        if values.isna().all():
            raise StudyError(f"column {name!r} has no value at all", f"leave it out with --ignore {name}")
        if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            parts.append(values.to_numpy(np.float64, na_value=np.nan)[:, None])
            names.append(str(name))
            continue
        _refuse_nearly_numeric(values)
        levels = sorted(values[seen].dropna().astype(str).unique())
        if len(levels) > MAX_LEVELS or pd.api.types.is_datetime64_any_dtype(values):
            notes.append(f"column {name!r} is left out: text with {len(levels)} values, or dates (use --time)")
            continue
        text = values.astype(str).to_numpy()
        parts += [(text == level).astype(np.float64)[:, None] for level in levels]
        names += [f"{name}={level}" for level in levels]
    if not parts:
        raise StudyError("no input column is left", "ignore fewer columns; text inputs need few distinct values")
    X = np.ascontiguousarray(np.hstack(parts))
    _refuse_infinite(X, names)
    return X, tuple(names), tuple(notes)


def _refuse_nearly_numeric(values: pd.Series) -> None:
    """A sensor column with a few words in it is a fault of the file, not a text column."""
    present = values.dropna().astype(str)
    odd = pd.to_numeric(present, errors="coerce").isna()
    if 0 < odd.sum() <= NEARLY_NUMERIC * len(present):
        where = int(np.flatnonzero(odd.to_numpy())[0])
        raise StudyError(
            f"column {values.name!r} is numeric but for {int(odd.sum())} of {len(present)} values, the first "
            f"{present.iloc[where]!r}, value number {where + 1}",
            f"empty those cells, or leave the column out with --ignore {values.name}",
        )


def _refuse_infinite(X: FloatArray, names: Sequence[str]) -> None:
    is_infinite = np.isinf(X)
    if is_infinite.any():
        row, column = np.argwhere(is_infinite)[0]
        raise StudyError(
            f"column {names[column]!r} holds {int(is_infinite[:, column].sum())} infinite values, first in row {row}",
            "mend them, or leave the column out with --ignore",
        )


def _shifted(y: FloatArray, group: IntArray, horizon: int) -> FloatArray:
    """The target `horizon` rows later in the same group; NaN where the group ends before."""
    if horizon == 0:
        return y
    later = np.full_like(y, np.nan)
    starts = group_starts(group)
    same = starts[horizon:] == starts[:-horizon]
    later[:-horizon][same] = y[horizon:][same]
    return later


def _without_target(y: FloatArray) -> tuple[str, ...]:
    absent = int((~np.isfinite(y)).sum())
    return (f"{absent} rows have no target: they serve as history only",) if absent else ()
