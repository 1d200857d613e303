"""Guesses which columns of a table are target, group and time, with reasons; a person decides."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.datasets._columns import is_number

TARGET_WORDS = ("target", "label", "class", "y", "rul", "wear", "quality", "anomaly", "fault", "failure", "outcome")
TIME_WORDS = ("time", "timestamp", "date", "datetime", "cycle", "cut", "step", "seconds")
MIN_GROUPS, MIN_ROWS = 3, 2
"""Fewer values are hardly groups; with fewer rows per value on average, the column numbers rows."""
MOST, FEW = 0.5, 0.05
"""Shares of rows that share their time with other rows, in a log of several units, and of those of one unit that do."""
MIN_ROWS_WITHIN, SMOOTHER = 5, 0.25
"""In a log of several machines, each has so many rows on average, and the mean squared change of the target from row to
row within them is below this share of that in the file."""


@dataclass(frozen=True)
class Role:
    """A column, and why it is taken for target, group or time."""

    column: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The columns that are likely to be target, group and time; None where none is."""

    target: Role | None
    group: Role | None
    time: Role | None


def roles_of(frame: pd.DataFrame) -> Roles:
    """The likely roles of the columns of a table, in the order of its rows."""
    times = [column for column in frame if _is_named(column, TIME_WORDS) or _is_date(frame[column])]
    time = _first(times, "is named so, or holds dates", frame=frame)
    groups = [column for column in frame if column not in times and is_like_groups(frame[column].to_numpy())]
    group = _first(groups, "has {n} values, each in one stretch of rows", frame=frame)
    if group is None and time is not None:
        group = _told_apart(frame, time.column)
    left = [column for column in frame if not {str(column)} & {role.column for role in (time, group) if role}]
    named = [column for column in left if _is_named(column, TARGET_WORDS)]
    if named:
        target: Role | None = Role(str(named[-1]), "is named so")
    else:
        target = Role(str(left[-1]), "is the last column") if left else None
    if group is None and target is not None:
        group = _mixed_groups(frame, [column for column in left if str(column) != target.column], target=target.column)
    return Roles(target=target, group=group, time=time)


def _told_apart(frame: pd.DataFrame, time: str) -> Role | None:
    """The first column of text by which rows of the same time are told apart."""
    order = pd.factorize(frame[time])[0]
    for column in frame:
        if column != time and not is_number(frame[column]) and tells_apart(pd.factorize(frame[column])[0], order):
            return Role(str(column), f"has {frame[column].nunique()} values, which tell rows of the same time apart")
    return None


def tells_apart(codes: IntArray, order: np.ndarray) -> bool:
    """Whether most rows share their time with others, and hardly any with another of the same level: (n_rows,) each."""
    times = pd.DataFrame({"order": order, "code": codes})
    shared = times["order"].duplicated(keep=False).mean()
    return bool(shared > MOST and times.duplicated(keep=False).mean() < FEW and times["code"].nunique() > 1)


def _mixed_groups(frame: pd.DataFrame, columns: Sequence[Hashable], *, target: str) -> Role | None:
    """The first column of text within which the target runs on, while it jumps from row to row of the file."""
    values = frame[target]
    y = values.to_numpy(np.float64, na_value=np.nan) if is_number(values) else pd.factorize(values)[0].astype(float)
    for column in columns:
        if not is_number(frame[column]) and is_smoother_within(pd.factorize(frame[column])[0], y):
            return Role(str(column), f"has {frame[column].nunique()} values, within which the target runs on")
    return None


def is_like_groups(values: np.ndarray) -> bool:
    """Whether values (n_rows,) look like the names of machines or experiments: each in one stretch of rows.

    >>> is_like_groups(np.repeat(["a", "b", "c"], 5)), is_like_groups(np.arange(15)), is_like_groups(np.arange(15) % 3)
    (True, False, False)
    """
    codes, names = pd.factorize(values)
    if (codes < 0).any() or not MIN_GROUPS <= len(names) <= len(values) // MIN_ROWS:
        return False
    if values.dtype.kind == "f" and not np.equal(np.mod(values, 1.0), 0.0).all():
        return False
    n_stretches = 1 + int((codes[1:] != codes[:-1]).sum())
    return n_stretches == len(names)


def is_smoother_within(codes: IntArray, y: FloatArray) -> bool:
    """Whether the target changes much less between successive rows of one level than between rows of the file.

    It must also change less than between any two rows of a level: else the level explains the target, and rows have no
    order.
    """
    known = np.isfinite(y) & (codes >= 0)
    codes, y = codes[known], y[known]
    if len(np.unique(codes)) < MIN_GROUPS:
        return False
    order = np.argsort(codes, kind="stable")
    within = np.diff(y[order])[np.diff(codes[order]) == 0]
    if len(within) < MIN_ROWS_WITHIN * len(np.unique(codes)):
        return False
    change, change_in_file = float(np.mean(within**2)), float(np.mean(np.diff(y) ** 2))
    n, sums = np.bincount(codes), np.bincount(codes, weights=y)
    spread = float(np.mean((y - (sums / np.maximum(n, 1))[codes]) ** 2))
    return change < min(SMOOTHER * change_in_file, spread)


def _first(columns: Sequence[Hashable], why: str, *, frame: pd.DataFrame) -> Role | None:
    return Role(str(columns[0]), why.format(n=frame[columns[0]].nunique())) if columns else None


def _is_named(column: object, words: tuple[str, ...]) -> bool:
    return not set(re.split(r"[^a-z0-9]+", str(column).lower())).isdisjoint(words)


def _is_date(values: pd.Series) -> bool:
    if pd.api.types.is_datetime64_any_dtype(values):
        return True
    if pd.api.types.is_numeric_dtype(values) or values.isna().all():
        return False
    sample = values.dropna().astype(str).head(100)
    looks = sample.str.match(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d{1,2}:\d{2}.*)?$")
    return bool(looks.all())
