"""The score and the errors of a model on labelled rows."""

from __future__ import annotations

import math

import numpy as np

from cemai_opt.core.batch import BoolArray, FloatArray, IntArray, Prediction
from cemai_opt.core.scores import SKILL
from cemai_opt.datasets import Dataset
from cemai_opt.deploy.model_folder import TrainedModel
from cemai_opt.deploy.unit_errors import UnitErrors, units_of
from cemai_opt.stages.evaluate import metrics_of

MIN_UNITS = 4
"""With fewer groups, models are compared on blocks of time."""


def scored(
    model: TrainedModel, rows: Dataset, *, wanted: BoolArray, paired: bool = False
) -> tuple[float | None, UnitErrors]:
    """A model's score, None if it is not defined there, and its errors on the wanted rows, (n_rows,), with a target.

    `paired`: for a comparison on the same rows, for which blocks of time are units, too, where there are few groups.
    """
    y, prediction, group = _predicted(model, rows, wanted=wanted)
    task = model.scorer.task
    has_units = rows.has_groups and not (paired and len(np.unique(group)) < MIN_UNITS)
    errors = UnitErrors.of(
        y,
        prediction.value,
        score=task.score.removesuffix(SKILL),
        is_classification=task.is_classification,
        unit=units_of(group, has_groups=has_units),
    )
    score = metrics_of(y, prediction, task=task, group=group).get(task.score, math.nan)
    return float(score) if math.isfinite(score) else None, errors


def metrics_on(model: TrainedModel, rows: Dataset, *, wanted: BoolArray) -> dict[str, float]:
    """All scores of a model that are defined on the wanted rows, (n_rows,), with a target."""
    y, prediction, group = _predicted(model, rows, wanted=wanted)
    metrics = metrics_of(y, prediction, task=model.scorer.task, group=group)
    return {name: float(score) for name, score in metrics.items() if math.isfinite(score)}


def _predicted(model: TrainedModel, rows: Dataset, *, wanted: BoolArray) -> tuple[FloatArray, Prediction, IntArray]:
    """Targets, predictions and groups of the wanted rows that have a target."""
    prediction = model.scorer.predict(rows.X, rows.group)
    known = np.flatnonzero(wanted & rows.has_target)
    by_class = None if prediction.by_class is None else prediction.by_class[known]
    return rows.y[known], Prediction(prediction.value[known], by_class), rows.group[known]
