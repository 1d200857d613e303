"""Scores the best constant prediction on the rows on which pipelines are scored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from cemai_opt.core.batch import BoolArray, FloatArray, Prediction, Task
from cemai_opt.core.scores import maximised
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.datasets import Dataset
from cemai_opt.pipeline.splits import Fold, Splits
from cemai_opt.runs.dummy import DummyScore
from cemai_opt.stages.evaluate import score_of


def dummy_score(data: Dataset, splits: Splits, *, study: ResolvedStudy) -> DummyScore:
    """The best constant prediction by its validation score, learned from the training rows of each fold.

    Regression: the mean or the median. Two classes: either of them. More classes: the most frequent one.
    """
    task = Task(kind=study.task, score=maximised(study.score), n_classes=len(data.classes))
    folds = splits.confirm if study.search.confirm else splits.search
    scores = _scores(data, folds, task=task)
    best = max(scores, key=lambda name: scores[name])
    test = _scores(data, [splits.final], task=task)[best]
    return DummyScore(prediction=best, validation=scores[best], test=test if math.isfinite(test) else None)


def _scores(data: Dataset, folds: Sequence[Fold], *, task: Task) -> dict[str, float]:
    """The pooled score of each constant over all folds."""
    constants = [_constants(data, fold.is_train, task=task) for fold in folds]
    y, group = (np.concatenate([values[fold.is_eval] for fold in folds]) for values in (data.y, data.group))
    n_rows = [int(fold.is_eval.sum()) for fold in folds]
    return {
        name: score_of(
            y, _predicted(np.repeat([each[name] for each in constants], n_rows), task), task=task, group=group
        )
        for name in constants[0]
    }


def _constants(data: Dataset, is_train: BoolArray, *, task: Task) -> Mapping[str, float]:
    """Constants that can be learned from training rows, by name."""
    y = data.y[is_train & data.has_target]
    if not task.is_classification:
        return {"the mean": float(y.mean()), "the median": float(np.median(y))}
    if task.n_classes == 2:
        return {repr(name): float(number) for number, name in enumerate(data.classes)}
    return {"the most frequent class": float(np.bincount(y.astype(np.int64)).argmax())}


def _predicted(value: FloatArray, task: Task) -> Prediction:
    if not task.is_classification:
        return Prediction(value)
    return Prediction(value, np.eye(task.n_classes)[value.astype(np.int64)])
