"""The decision threshold of two classes, chosen on validation predictions for the best F1."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, Prediction, Task
from cemai_opt.stages.evaluate import metrics_of, with_threshold


def scored(
    y: FloatArray, prediction: Prediction, *, task: Task, group: IntArray | None = None
) -> tuple[dict[str, float], float | None]:
    """Scores of validation predictions, and the threshold that was chosen for them; None if there is no choice.

    A threshold is chosen for F1 of two classes unless the configuration has one; other scores, and those of several
    classes, count the most probable class.
    """
    prediction, threshold = decided(y, prediction, task=task)
    return metrics_of(y, prediction, task=task, group=group), threshold


def decided(y: FloatArray, prediction: Prediction, *, task: Task) -> tuple[Prediction, float | None]:
    """The predictions with the threshold that is best for them, and that threshold; None if there is no choice."""
    if not chooses_threshold(prediction, task):
        return prediction, None
    assert prediction.by_class is not None, "there is a choice"
    threshold = best_threshold(y, prediction.by_class[:, 1])
    return with_threshold(prediction, replace(task, threshold=threshold)), threshold


def chooses_threshold(prediction: Prediction, task: Task) -> bool:
    """Whether a threshold is to be chosen."""
    return task.score == "f1" and task.threshold is None and prediction.by_class is not None


def best_threshold(y: FloatArray, positive: FloatArray) -> float | None:
    """The threshold with the best F1, halfway between two neighbouring scores; None if no threshold tells rows apart.

    `y`: (n,) 0 or 1; `positive`: (n,) scores of class 1. A row is positive above the threshold.
    """
    order = np.argsort(-positive, kind="stable")
    descending = positive[order]
    ends = np.flatnonzero(descending[:-1] > descending[1:])
    if not len(ends) or not (y == 1.0).any():
        return None
    found = np.cumsum(y[order] == 1.0)[ends]
    f1 = 2.0 * found / (ends + 1 + (y == 1.0).sum())
    best = ends[int(f1.argmax())]
    return float((descending[best] + descending[best + 1]) / 2.0)
