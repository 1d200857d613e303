"""Predicts the evaluation rows and scores the predictions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from cemai_opt.core.batch import Batch, BoolArray, FloatArray, IntArray, Prediction, Task
from cemai_opt.core.errors import TrialError
from cemai_opt.core.hyperparameters import Hyperparameter, real
from cemai_opt.stages._regression_scores import regression_score, regression_scores
from cemai_opt.stages._stage import Params, Stage

CHUNK_VALUES = 1 << 22
"""Values of windows that are copied at once; 16 MB."""
THRESHOLD = "threshold"
"""Name of the decision threshold of two classes in a configuration."""
LARGEST_SCORE = 1e9
"""Scores of classes may be decision values instead of probabilities."""


class Evaluate(Stage):
    """Predictions and scores of the evaluation rows."""

    order = 90
    is_optional = False
    is_for_new_rows = False

    @classmethod
    def accepted(cls, params: Params, task: str) -> tuple[Hyperparameter, ...]:
        """`threshold` in a configuration that has one; it is chosen on validation predictions, and never searched."""
        if THRESHOLD not in params or task != "classification":
            return ()
        return (real(THRESHOLD, -LARGEST_SCORE, high=LARGEST_SCORE, default=0.5),)

    def prepare(self, params: Params, task: Task) -> None:
        """Imports scikit-learn, which computes the scores."""
        import sklearn.metrics  # noqa: F401  # imported before the measurement

    def _run(self, batch: Batch, params: Params) -> Batch:
        prediction = predict(batch, batch.eval_rows)
        rows = batch.eval_rows
        metrics = metrics_of(batch.y[rows], prediction, task=batch.task, group=batch.group[rows])
        return replace(batch, prediction=prediction, metrics=metrics)


def predict(batch: Batch, rows: np.ndarray) -> Prediction:
    """The model's predictions for some rows, in the target's own unit. TrialError if one is not finite."""
    assert batch.windows is not None, "predict needs windows"
    _, *shape = batch.windows.view.shape
    n_rows = max(CHUNK_VALUES // math.prod(shape), 1)
    parts = [
        batch.model.predict(batch.windows.take(rows[first : first + n_rows])) for first in range(0, len(rows), n_rows)
    ]
    prediction = pooled(parts)
    value = batch.target.unscaled(prediction.value)
    if not np.isfinite(value).all():
        raise TrialError(f"{int((~np.isfinite(value)).sum())} predictions are not numbers")
    return with_threshold(replace(prediction, value=value), batch.task)


def with_threshold(prediction: Prediction, task: Task) -> Prediction:
    """The predictions with the task's decision threshold, if it has one."""
    if task.threshold is None or prediction.by_class is None or task.n_classes != 2:
        return prediction
    return replace(prediction, value=(prediction.by_class[:, 1] > task.threshold).astype(np.float64))


def averaged(parts: Sequence[Prediction], weights: Sequence[float], *, task: Task) -> Prediction:
    """The weighted mean of several predictions of the same rows: of numbers, or of the scores of classes.

    `weights` add up to 1. A class is the one with the highest mean score, or that above the task's threshold.
    """
    by_class = [part.by_class for part in parts if part.by_class is not None]
    if not by_class:
        return Prediction(_weighted_sum([part.value for part in parts], weights))
    mean = _weighted_sum(by_class, weights)
    return with_threshold(Prediction(mean.argmax(axis=1).astype(np.float64), mean), task)


def _weighted_sum(arrays: Sequence[FloatArray], weights: Sequence[float]) -> FloatArray:
    """Element by element in the order of the arrays, so that it has the same bits for any block of rows."""
    total = arrays[0] * weights[0]
    for array, weight in zip(arrays[1:], weights[1:], strict=True):
        total = total + array * weight
    return total


def pooled(parts: Sequence[Prediction]) -> Prediction:
    """Concatenated predictions."""
    if len(parts) == 1:
        return parts[0]
    by_class = [part.by_class for part in parts if part.by_class is not None]
    return Prediction(np.concatenate([part.value for part in parts]), np.concatenate(by_class) if by_class else None)


def metrics_of(y: FloatArray, prediction: Prediction, *, task: Task, group: IntArray | None = None) -> dict[str, float]:
    """All scores of predictions, including `task.score`; of two classes, the second one is the positive class.

    `y`, `group`: (n_rows,); the groups are those whose last rows are scored, too.
    """
    if not task.is_classification:
        return regression_scores(y, prediction.value, group=group)
    return {name: score() for name, score in _class_scores(y, prediction, n_classes=task.n_classes).items()}


def score_of(y: FloatArray, prediction: Prediction, *, task: Task, group: IntArray | None = None) -> float:
    """`task.score` as in `metrics_of`, without computing the other scores."""
    if not task.is_classification:
        return regression_score(y, prediction.value, name=task.score, group=group)
    return _class_scores(y, prediction, n_classes=task.n_classes)[task.score]()


def _class_scores(y: FloatArray, prediction: Prediction, *, n_classes: int) -> dict[str, Callable[[], float]]:
    """What computes each score of classes, as scikit-learn defines it; `_regression_scores` says why not by it."""
    value = prediction.value
    scores: dict[str, Callable[[], float]] = {
        "accuracy": lambda: float((y == value).mean()),
        "f1_macro": lambda: float(np.mean([_f1(y, value, level=level) for level in np.union1d(y, value)])),
        "balanced_accuracy": lambda: _balanced_accuracy(y, value),
        "average_precision": lambda: _average_precision(y, prediction.by_class, n_classes=n_classes),
    }
    if n_classes == 2:
        scores["f1"] = lambda: _f1(y, value, level=1.0)
    return scores


def _f1(y: FloatArray, value: FloatArray, *, level: float) -> float:
    """F1 of one class, 0 if it neither occurs nor is predicted."""
    is_level, is_predicted = y == level, value == level
    both = int(is_level.sum()) + int(is_predicted.sum())
    return 2.0 * int((is_level & is_predicted).sum()) / both if both else 0.0


def _balanced_accuracy(y: FloatArray, value: FloatArray) -> float:
    """Mean recall over the classes that occur."""
    return float(np.mean([(value[y == level] == level).mean() for level in np.unique(y)]))


def _average_precision(y: FloatArray, by_class: FloatArray | None, *, n_classes: int) -> float:
    """Average precision of the second of two classes, or its mean over all classes that occur."""
    assert by_class is not None, "a classifier gives scores by class"
    positives = [1] if n_classes == 2 else [level for level in range(n_classes) if (y == level).any()]
    return float(np.mean([_precision_over_recall(y == level, by_class[:, level]) for level in positives]))


def _precision_over_recall(is_positive: BoolArray, scores: FloatArray) -> float:
    """The sum over all thresholds of the precision, weighted with what each adds to the recall."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    found = np.cumsum(is_positive[order])[ends]
    return float((np.diff(found, prepend=0) * found / (ends + 1)).sum() / found[-1]) if found[-1] else 0.0
