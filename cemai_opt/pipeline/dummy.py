"""Scores the best prediction without a model on the rows on which pipelines are scored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, Prediction, Task, group_starts
from cemai_opt.core.scores import maximised
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.datasets import Dataset
from cemai_opt.pipeline.splits import Fold, Splits
from cemai_opt.runs.dummy import DummyScore
from cemai_opt.stages.evaluate import score_of

SEASONS = (7, 12, 24, 48, 52, 96, 144, 168, 288, 336, 365, 672, 1440, 2016)
"""Rows in a day, a week or a year, for rows from every minute to every month."""
MAX_CLASSES = 20
"""With more classes than this, only the most frequent one is tried."""


def dummy_score(data: Dataset, splits: Splits, *, study: ResolvedStudy) -> DummyScore:
    """The best prediction without a model, by its validation score.

    Regression: the mean or the median of the training rows of each fold; with a horizon also the last known value
    (persistence), and that of a season before, such as the same hour of the week before. Classes: always the same one,
    on all folds.
    """
    task = Task(kind=study.task, score=maximised(study.score), n_classes=len(data.classes))
    folds = splits.confirm if study.search.confirm else splits.search
    known = _known_values(data, folds) if data.horizon and study.task == "regression" else {}
    scores = _scores(data, folds, task=task, known=known)
    best = max(scores, key=lambda name: scores[name])
    test = _scores(data, [splits.final], task=task, known=known).get(best, math.nan)
    return DummyScore(prediction=best, validation=scores[best], test=test if math.isfinite(test) else None)


def _scores(data: Dataset, folds: Sequence[Fold], *, task: Task, known: Mapping[str, FloatArray]) -> dict[str, float]:
    """The pooled score of each prediction over all folds. `known`: (n_rows,), values that may be repeated, by name."""
    y, group = (np.concatenate([values[fold.is_eval] for fold in folds]) for values in (data.y, data.group))
    return {
        name: score_of(y, _prediction(value, task), task=task, group=group)
        for name, value in _values(data, folds, task=task, known=known).items()
    }


def _values(
    data: Dataset, folds: Sequence[Fold], *, task: Task, known: Mapping[str, FloatArray]
) -> dict[str, FloatArray]:
    """The predicted values of the evaluation rows of all folds, (n_rows,), by what is predicted."""
    n_rows = sum(int(fold.is_eval.sum()) for fold in folds)
    if task.is_classification:
        is_known = np.logical_or.reduce([fold.is_train for fold in folds]) & data.has_target
        counts = np.bincount(data.y[is_known].astype(np.int64), minlength=task.n_classes)
        numbers = range(task.n_classes) if task.n_classes <= MAX_CLASSES else [int(counts.argmax())]
        return {repr(data.classes[number]): np.full(n_rows, float(number)) for number in numbers}
    found: dict[str, list[FloatArray]] = {}
    for fold in folds:
        y, n = data.y[fold.is_train & data.has_target], int(fold.is_eval.sum())
        for name, value in (("the mean", y.mean()), ("the median", np.median(y))):
            found.setdefault(name, []).append(np.full(n, float(value)))
        for name, values in known.items():
            found.setdefault(name, []).append(np.where(np.isfinite(values), values, y.mean())[fold.is_eval])
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _known_values(data: Dataset, folds: Sequence[Fold]) -> dict[str, FloatArray]:
    """Known values that may be repeated, (n_rows,): the last one, and that of a season before.

    The season is the one of `SEASONS` that is nearest on the training rows.
    """
    now = last_known(data.y, data.group, horizon=data.horizon)
    rows = np.logical_or.reduce([fold.is_train for fold in folds]) & data.has_target
    errors: dict[int, float] = {}
    for season in (season for season in SEASONS if season > data.horizon):
        earlier = _earlier(now, data.group, rows=season - data.horizon)
        is_known = rows & np.isfinite(earlier)
        if is_known.sum() > rows.sum() / 2:
            errors[season] = float(np.mean((earlier - data.y)[is_known] ** 2))
    found = {"the last known value": now}
    if errors:
        season = min(errors, key=lambda each: errors[each])
        found[f"the value {season} rows before"] = _earlier(now, data.group, rows=season - data.horizon)
    return found


def _earlier(values: FloatArray, group: IntArray, *, rows: int) -> FloatArray:
    """The value some rows before in the same group, (n_rows,); NaN at its start."""
    earlier = np.full_like(values, np.nan)
    starts = group_starts(group)
    same = starts[rows:] == starts[:-rows]
    earlier[rows:][same] = values[:-rows][same]
    return earlier


def last_known(y: FloatArray, group: IntArray, *, horizon: int) -> FloatArray:
    """The value that the target has now, (n_rows,), where `y` is that of `horizon` rows later; NaN if it is unknown."""
    now = np.full_like(y, np.nan)
    starts = group_starts(group)
    same = starts[horizon:] == starts[:-horizon]
    now[horizon:][same] = y[:-horizon][same]
    return now


def _prediction(value: FloatArray, task: Task) -> Prediction:
    if not task.is_classification:
        return Prediction(value)
    return Prediction(value, np.eye(task.n_classes)[value.astype(np.int64)])
