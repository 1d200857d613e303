"""Checks raw rows against the settings of a study, and converts them to numbers."""

from __future__ import annotations

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, group_starts
from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.datasets._calendar import calendar_column
from cemai_opt.datasets._columns import inputs_of
from cemai_opt.datasets._dataset import Dataset, Frames
from cemai_opt.datasets._schema import Schema, format_of
from cemai_opt.datasets._sorted_rows import SortedRows
from cemai_opt.datasets._target import target_of

LONG_STEP, REGULAR = 1.5, 0.8
"""A step of this many usual ones is a gap, in series where this share of the steps is the usual one."""


def assemble(frames: Frames, spec: DataSpec, *, task: str) -> Dataset:
    """A data set from raw rows. StudyError with the invalid column and a hint."""
    in_order = SortedRows.of(frames, spec, task=task)
    roles, group, times, is_seen = in_order.roles, in_order.group, in_order.times, ~in_order.is_test
    target = target_of(in_order.rows[roles.target], task, spec=spec)
    clock, clock_notes = calendar_column(times, is_seen, group=group, style=in_order.time_style, choice=spec.calendar)
    inputs = inputs_of(
        roles.inputs(in_order.rows, spec),
        is_seen,
        encode=spec.encode,
        date_format=spec.date_format,
        text=spec.keep_text,
        clock=None if clock is None or times is None else (clock, times),
    )
    y = shifted(target.y, group, horizon=spec.horizon)
    if not np.isfinite(y).any():
        raise StudyError(f"no row has a target {spec.horizon} rows later", "choose a shorter --horizon")
    return Dataset(
        X=inputs.X,
        y=y,
        group=group,
        order=in_order.order,
        is_test=in_order.is_test,
        names=tuple(name for column in inputs.columns for name in column.inputs),
        group_names=in_order.group_names,
        task=target.task,
        classes=target.classes,
        has_groups=roles.group is not None,
        has_time=spec.time is not None,
        horizon=spec.horizon,
        regime=spec.regime,
        notes=(
            *frames.notes,
            *in_order.notes,
            *target.notes,
            *inputs.notes,
            *clock_notes,
            *_without_target(y, spec.horizon),
            *_gaps(in_order.moments, group, horizon=spec.horizon),
        ),
        schema=Schema(
            columns=inputs.columns,
            target=roles.target,
            group=roles.group,
            time=spec.time,
            left_out=(*spec.ignore, *inputs.left_out),
            missing=spec.missing,
            text_format=format_of(spec),
            time_parts=roles.time_parts,
            time_style=in_order.time_style,
        ),
    )


def shifted(y: FloatArray, group: IntArray, *, horizon: int) -> FloatArray:
    """The target `horizon` rows later in the same group; NaN if the group ends before."""
    if horizon == 0:
        return y
    later = np.full_like(y, np.nan)
    starts = group_starts(group)
    same = starts[horizon:] == starts[:-horizon]
    later[:-horizon][same] = y[horizon:][same]
    return later


def _gaps(moments: IntArray, group: IntArray, *, horizon: int) -> tuple[str, ...]:
    """A note on rows that are missing in series of equal steps, where the target is so many rows later.

    `moments`: (n_rows,), empty without a time.
    """
    if not horizon or not len(moments):
        return ()
    steps = np.diff(moments)[np.diff(group) == 0]
    if not len(steps):
        return ()
    usual = float(np.median(steps))
    n_gaps, n_usual = int((steps > LONG_STEP * usual).sum()), int((steps == usual).sum())
    if usual <= 0 or not n_gaps or n_usual < REGULAR * len(steps):
        return ()
    what = f"{n_gaps} steps between rows are longer than the usual one"
    return (f"{what}: --horizon {horizon} counts rows, so targets beyond them are later (add rows with empty cells)",)


def _without_target(y: FloatArray, horizon: int) -> tuple[str, ...]:
    absent = int((~np.isfinite(y)).sum())
    if not absent:
        return ()
    if horizon and absent > len(y) / 2:
        return (f"{absent} of {len(y)} rows have no row of their group {horizon} rows later: is it the right --group?",)
    return (f"{absent} rows have no target: nothing is trained or scored on them (windows of later rows may see them)",)
