"""Predicts the evaluation rows and scores the predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cemai_opt.core.batch import Batch, FloatArray, IntArray, Prediction, Task
from cemai_opt.core.errors import TrialError
from cemai_opt.core.hyperparameters import Hyperparameter, real
from cemai_opt.stages._regression_scores import regression_scores
from cemai_opt.stages._stage import Params, Stage

CHUNK_ROWS = 65536
"""Rows whose windows are copied at once."""
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
    parts = [
        batch.model.predict(batch.windows.take(rows[first : first + CHUNK_ROWS]))
        for first in range(0, len(rows), CHUNK_ROWS)
    ]
    prediction = pooled(parts)
    value = prediction.value * batch.target_factor + batch.target_shift
    if not np.isfinite(value).all():
        raise TrialError(f"{int((~np.isfinite(value)).sum())} predictions are not numbers")
    return with_threshold(replace(prediction, value=value), batch.task)


def with_threshold(prediction: Prediction, task: Task) -> Prediction:
    """The predictions with the task's decision threshold, if it has one."""
    if task.threshold is None or prediction.by_class is None or task.n_classes != 2:
        return prediction
    return replace(prediction, value=(prediction.by_class[:, 1] > task.threshold).astype(np.float64))


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
    from sklearn import metrics

    value = prediction.value
    if not task.is_classification:
        return regression_scores(y, value, group=group)
    scores = {
        "accuracy": float(metrics.accuracy_score(y, value)),
        "f1_macro": float(metrics.f1_score(y, value, average="macro", zero_division=0)),
        "balanced_accuracy": _balanced_accuracy(y, value),
        "average_precision": _average_precision(y, prediction.by_class, n_classes=task.n_classes),
    }
    if task.n_classes == 2:
        scores["f1"] = float(metrics.f1_score(y, value, zero_division=0))
    return scores


def _balanced_accuracy(y: FloatArray, value: FloatArray) -> float:
    """Mean recall over the classes that occur."""
    return float(np.mean([(value[y == level] == level).mean() for level in np.unique(y)]))


def _average_precision(y: FloatArray, by_class: FloatArray | None, *, n_classes: int) -> float:
    """Average precision of the second of two classes, or its mean over all classes that occur."""
    from sklearn.metrics import average_precision_score

    assert by_class is not None, "a classifier gives scores by class"
    positives = [1] if n_classes == 2 else [level for level in range(n_classes) if (y == level).any()]
    return float(np.mean([average_precision_score(y == level, by_class[:, level]) for level in positives]))
