"""New rows with their targets, read as the training rows of a trained model were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from cemai_opt.core.batch import FloatArray
from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.datasets._assemble import shifted
from cemai_opt.datasets._dataset import Dataset
from cemai_opt.datasets._new_rows import known_pieces, rows_of_frame
from cemai_opt.datasets._schema import Schema


def read_labelled_rows(
    path: Path,
    schema: Schema,
    *,
    classes: tuple[str, ...],
    horizon: int = 0,
    clip_target: float | None = None,
    history: Path | None = None,
) -> Dataset:
    """The rows of a file or folder, in memory. `classes` are those of the model, empty for a regression.

    `history` is a file or folder with rows before them; they are in the data set, without a target.
    StudyError if a column is missing or unknown, if no row has a target that the model knows, or if history is not
    earlier.
    """
    notes: list[str] = []
    frame = _frame_of(path, schema, classes=classes, notes=notes)
    if schema.target not in frame.columns:
        raise StudyError(f"{path} lacks the target column {schema.target!r}", nearest(schema.target, frame.columns))
    n_history = 0
    if history is not None:
        earlier = _frame_of(history, schema, classes=classes, notes=notes)
        frame, n_history = pd.concat([earlier, frame], ignore_index=True), len(earlier)
    rows = rows_of_frame(frame, schema, n_history=n_history)
    y = _targets(frame[schema.target], classes, missing=schema.missing)
    y = y if clip_target is None else np.minimum(y, clip_target)
    in_order = np.lexsort((rows.order, rows.group))
    y = shifted(y[in_order], rows.group[in_order], horizon=horizon)
    y = np.where(in_order < n_history, np.nan, y)
    if not np.isfinite(y).any():
        raise StudyError(f"no row of {path} has a target", f"is {schema.target!r} filled?")
    names = ("row",) if schema.group is None else tuple(str(name) for name in frame[schema.group].astype(str).unique())
    return Dataset(
        X=np.array(rows.X[in_order]),
        y=y,
        group=np.array(rows.group[in_order]),
        order=np.array(rows.order[in_order]),
        is_test=np.zeros(len(frame), bool),
        names=schema.inputs,
        group_names=names,
        task="classification" if classes else "regression",
        classes=classes,
        has_groups=schema.group is not None,
        has_time=schema.time is not None,
        horizon=horizon,
        notes=(*notes, *rows.notes),
        schema=replace(schema),
    )


def _frame_of(path: Path, schema: Schema, *, classes: tuple[str, ...], notes: list[str]) -> pd.DataFrame:
    return pd.concat(list(known_pieces(path, schema, notes=notes, numeric_target=not classes)), ignore_index=True)


def _targets(values: pd.Series, classes: tuple[str, ...], *, missing: float | None) -> FloatArray:
    """Numbers, or codes of classes, NaN where there is none: (n_rows,). StudyError names a value that is neither."""
    if classes:
        codes = {name: float(code) for code, name in enumerate(classes)}
        texts = values.astype(str).where(values.notna())
        aliases = {f"{name}.0": code for name, code in codes.items()}  # whole numbers beside empty cells
        aliases |= {name.lower(): code for name, code in codes.items() if name in ("True", "False")}
        found = texts.map({**aliases, **codes})
        odd = texts[found.isna() & texts.notna()]
        if len(odd):
            raise StudyError(
                f"target {values.name!r} holds {odd.iloc[0]!r}, a class that the model does not know",
                f"the classes are {', '.join(classes)}",
            )
        return found.to_numpy(np.float64)
    numbers = pd.to_numeric(values, errors="coerce")
    odd = values[numbers.isna() & values.notna()]
    if len(odd):
        raise StudyError(f"target {values.name!r} holds {odd.iloc[0]!r}, which is no number", "empty such cells")
    y = numbers.to_numpy(np.float64, na_value=np.nan)
    return np.where(y == missing, np.nan, y) if missing is not None else y
