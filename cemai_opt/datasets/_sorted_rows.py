"""Raw rows by group and time, with the roles of their columns and the rows that are kept for the test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cemai_opt.core.batch import BoolArray, FloatArray, IntArray
from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.datasets._dataset import Frames
from cemai_opt.datasets._times import moments_of, ranks_of, time_parts, time_style, times_of

TEST_GROUP = "test:"
"""Prefix of the names of groups of the test data."""
MAX_NAMES = 60
"""Characters of names in a note."""
ROW_GROUP = "row"
"""Group name of data without groups."""


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The columns that are no plain inputs; `time_parts` are those of a time in several columns."""

    target: str
    group: str | None
    time_parts: tuple[str, ...]
    time_columns: tuple[str, ...]

    @classmethod
    def of(cls, rows: pd.DataFrame, spec: DataSpec, *, group: str | None) -> Roles:
        """StudyError if a column is not there, or if the target has another role as well."""
        parts = time_parts(spec.time, list(rows.columns))
        columns = parts or ((spec.time,) if spec.time is not None else ())
        target = _checked_target(rows, spec, group=group, time_columns=columns)
        return cls(target=target, group=group, time_parts=parts, time_columns=columns)

    def inputs(self, rows: pd.DataFrame, spec: DataSpec) -> pd.DataFrame:
        """The columns that may be inputs; the target is one only where earlier values of it are known."""
        no_input = {self.group, *self.time_columns, *spec.ignore}
        if not (spec.horizon and spec.past_target):
            no_input.add(self.target)
        return rows.drop(columns=[column for column in no_input if column is not None])


@dataclass(frozen=True, kw_only=True)
class SortedRows:
    """Raw rows by group, and by time in each; all arrays are (n_rows,). `moments` are empty without a time."""

    rows: pd.DataFrame
    roles: Roles
    group: IntArray
    group_names: tuple[str, ...]
    order: FloatArray
    is_test: BoolArray
    times: pd.Series | None
    time_style: str
    moments: IntArray
    notes: tuple[str, ...]

    @classmethod
    def of(cls, frames: Frames, spec: DataSpec, *, task: str) -> SortedRows:
        """StudyError if there are no rows, or columns, times or groups are invalid."""
        rows, n_plain = _stacked(frames)
        if rows.empty:
            raise StudyError("the data has no rows", "check the file: is there more than a header?")
        roles = Roles.of(rows, spec, group=spec.group or frames.group)
        if spec.missing is not None:
            rows = _without_code(rows, spec.missing, roles=roles, task=task)
        is_test = np.arange(len(rows)) >= n_plain
        times = times_of(rows, roles.time_columns)
        style = time_style(times, spec.date_format)
        moments = moments_of(times, len(rows), style=style)
        order = ranks_of(moments)
        known_order = order if roles.time_columns else None
        names, notes = _unit_names(rows, roles.group, parts=frames.parts, order=known_order)
        group, group_names = _groups(names, roles.group, spec=spec, is_test=is_test)
        is_test |= _newest_test_rows(spec, frames.parts, group=group, order=order)
        is_test |= np.isin(group, [code for code, name in enumerate(group_names) if name in spec.test_groups])
        by_group_and_time = np.lexsort((order, group))
        return cls(
            rows=rows.iloc[by_group_and_time],
            roles=roles,
            group=group[by_group_and_time],
            group_names=group_names,
            order=order[by_group_and_time],
            is_test=is_test[by_group_and_time],
            times=None if times is None else times.iloc[by_group_and_time].rename(spec.time),
            time_style=style,
            moments=moments[0][by_group_and_time] if roles.time_columns else np.empty(0, np.int64),
            notes=notes,
        )


def _stacked(frames: Frames) -> tuple[pd.DataFrame, int]:
    if frames.test is None:
        return frames.rows, len(frames.rows)
    absent = [c for c in frames.rows.columns if c not in frames.test.columns]
    if absent:
        raise StudyError(f"the test data lacks column {absent[0]!r}", nearest(absent[0], frames.test.columns))
    return pd.concat([frames.rows, frames.test[frames.rows.columns]], ignore_index=True), len(frames.rows)


def _checked_target(rows: pd.DataFrame, spec: DataSpec, *, group: str | None, time_columns: tuple[str, ...]) -> str:
    """The target column. StudyError if a column is not there, or if the target has another role as well."""
    target = _require_column(rows, spec.target, kind="target")
    groups = (group,) if group is not None else ()
    roles = {"group": groups, "time": time_columns, "ignored": spec.ignore, "regime": spec.regime}
    for role, columns in roles.items():
        for column in columns:
            _require_column(rows, column, kind=role)
        if target in columns:
            raise StudyError(f"column {target!r} is the target, and the {role} column", "choose another --target")
    return target


def _require_column(rows: pd.DataFrame, column: str | None, *, kind: str) -> str:
    if column is None:
        raise StudyError("no target column was given", f"give --target; {nearest('', rows.columns)}")
    if column not in rows.columns:
        raise StudyError(f"{kind} column {column!r} is not in the data", nearest(column, rows.columns))
    return column


def _without_code(rows: pd.DataFrame, code: float, *, roles: Roles, task: str) -> pd.DataFrame:
    """Rows whose code for "no value" is an empty cell, in all columns of measured values."""
    no_sensors = {roles.group, *roles.time_columns, roles.target if task == "classification" else None}
    measured = [column for column in rows.columns if column not in no_sensors]
    return rows.assign(**{column: rows[column].replace(code, np.nan) for column in measured})


def _unit_names(
    rows: pd.DataFrame, column: str | None, *, parts: Mapping[str, int], order: FloatArray | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The name of each row's group, (n_rows,), and a note on those that an appended part has in common with others.

    Such a group goes on if its rows there are all later than before; else it is another unit of the same name, and gets
    a name of its own. `order`: (n_rows,) times, None without a time column.
    """
    if column is None:
        return np.full(len(rows), ROW_GROUP, object), ()
    if rows[column].isna().any():
        line = int(np.flatnonzero(rows[column].isna())[0])
        raise StudyError(f"group column {column!r} is empty in row {line}", "fill it, or drop those rows")
    names = rows[column].astype(str).to_numpy(object)
    last, notes, first_row = dict[str, float](), list[str](), 0
    for part, n_rows in parts.items():
        own = slice(first_row, first_row + n_rows)
        codes, found = pd.factorize(names[own])
        begin, end = np.full(len(found), np.inf), np.full(len(found), np.inf)
        if order is not None:
            end[:] = -np.inf
            np.minimum.at(begin, codes, order[own])
            np.maximum.at(end, codes, order[own])
        is_other = [name in last and not begin[i] > last[name] for i, name in enumerate(found)]
        own_names = [f"{part}:{name}" if other else name for name, other in zip(found, is_other, strict=True)]
        names[own] = np.array(own_names, object)[codes]
        last |= dict(zip(own_names, end, strict=True))
        if any(is_other):
            some = ", ".join(str(name) for name, other in zip(found, is_other, strict=True) if other)
            shown = some if len(some) < MAX_NAMES else some[:MAX_NAMES] + "..."
            notes.append(f"{part}: groups {shown} are other units than those of the same names before")
        first_row += n_rows
    return names, tuple(notes)


def _groups(
    names: np.ndarray, column: str | None, *, spec: DataSpec, is_test: np.ndarray
) -> tuple[IntArray, tuple[str, ...]]:
    """Codes in order of first appearance; groups of the test data differ from those with the same name elsewhere."""
    if column is None and spec.test_groups:
        raise StudyError("--test-groups needs groups", "give their column with --group")
    codes, uniques = pd.factorize(np.where(is_test, TEST_GROUP + names, names))
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


def newest_rows(group: IntArray, order: FloatArray, *, share: float) -> BoolArray:
    """The last groups with about this share of the groups, or of a single group the last rows: (n_rows,).

    `group`: (n_rows,), whose order is that of appearance; `order`: (n_rows,) times.
    """
    found, first = np.unique(group, return_index=True)
    if len(found) > 1:
        n_last = min(max(1, round(share * len(found))), len(found) - 1)
        return np.isin(group, found[np.argsort(first)][-n_last:])
    late = np.zeros(len(group), bool)
    late[np.argsort(order, kind="stable")[len(group) - max(1, round(share * len(group))) :]] = True
    return late


def _newest_test_rows(spec: DataSpec, parts: Mapping[str, int], *, group: IntArray, order: FloatArray) -> BoolArray:
    """The newest rows of the last appended part, as `spec.test_last` says: (n_rows,)."""
    chosen = np.zeros(len(group), bool)
    if not spec.test_last:
        return chosen
    if not parts:
        raise StudyError("--test-last is a share of the last --append, and there is none", "give --append")
    end = sum(parts.values())
    last = slice(end - list(parts.values())[-1], end)
    chosen[last] = newest_rows(group[last], order[last], share=spec.test_last)
    return chosen
