"""The pooled score of a pipeline over several folds, and how uncertain it is, from groups left out one by one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, Prediction, Task
from cemai_opt.core.jackknife import jackknife_error
from cemai_opt.core.result import ScoredRows
from cemai_opt.core.scores import maximised
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.pipeline.threshold import decided
from cemai_opt.stages.evaluate import metrics_of, score_of

MAX_BLOCKS = 20
"""More groups than this are left out several at a time (delete-a-group jackknife, Kott (2001), J. Off. Stat. 17)."""
MIN_GROUPS, MIN_BLOCKS = 4, 8
"""With fewer groups, blocks of time inside the groups are left out: about this many in all."""


@dataclass(frozen=True, kw_only=True)
class PooledScore:
    """Score and metrics over all rows together, the decision threshold, and the scores `without` each block of rows."""

    score: float
    metrics: dict[str, float]
    threshold: float | None
    without: tuple[float, ...]
    dof: int
    """Degrees of freedom of the error: groups less one, or blocks less one if rows are not split by groups."""

    @property
    def error(self) -> float:
        """Standard error of the score."""
        return jackknife_error(self.without)


def pooled_score(parts: Sequence[ScoredRows], study: ResolvedStudy) -> PooledScore:
    """The score of the rows of several folds together. Two pipelines have the same blocks on the same folds.

    A decision threshold is chosen on all rows, and is the same without each block.
    """
    y, group = (np.concatenate([getattr(part, name) for part in parts]) for name in ("y", "group"))
    by_class = None if parts[0].by_class is None else np.concatenate([part.by_class for part in parts])
    group = group.astype(np.int64)
    n_classes = 0 if by_class is None else by_class.shape[1]
    task = Task(kind=study.task, score=maximised(study.score), n_classes=n_classes)
    prediction, threshold = decided(y, Prediction(np.concatenate([part.value for part in parts]), by_class), task=task)
    metrics = metrics_of(y, prediction, task=task, group=group)
    without = _scores_without(y, prediction, task=task, group=group)
    n_groups = len(_numbered(group)[0]) if study.split.by == "group" else len(without)
    return PooledScore(
        score=metrics[task.score],
        metrics=metrics,
        threshold=threshold,
        without=without,
        dof=min(n_groups, len(without)) - 1,
    )


def _scores_without(y: FloatArray, prediction: Prediction, *, task: Task, group: IntArray) -> tuple[float, ...]:
    """The score without each block; the score itself where there is none without it."""
    block, scores = blocks_of(group), list[float]()
    if task.score == "r2" and (found := _r2_without(y, prediction.value, block=block)) is not None:
        return found
    score = score_of(y, prediction, task=task, group=group)
    for number in range(int(block.max()) + 1):
        kept = block != number
        by_class = None if prediction.by_class is None else prediction.by_class[kept]
        rest = Prediction(prediction.value[kept], by_class)
        without = score_of(y[kept], rest, task=task, group=group[kept])
        scores.append(without if math.isfinite(without) else score)
    return tuple(scores)


def _r2_without(y: FloatArray, value: FloatArray, *, block: IntArray) -> tuple[float, ...] | None:
    """R2 without each block, from sums over the blocks in one pass; None where the targets of the rest are alike."""
    centered, missed = y - y.mean(), np.square(y - value)
    n, total, squares, missed = (
        part.sum() - part
        for part in (np.bincount(block, weights=weights) for weights in (None, centered, centered**2, missed))
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = squares - total**2 / n
    if not (spread > 1e-9 * squares).all():
        return None
    return tuple((1.0 - missed / spread).tolist())


def blocks_of(group: IntArray) -> IntArray:
    """The block of each row: its group, or several groups together; blocks of time where there are few groups.

    >>> blocks_of(np.array([7, 7, 8, 9, 9, 4])).tolist()
    [1, 1, 2, 3, 3, 0]
    """
    names, number = _numbered(group)
    if len(names) >= MIN_GROUPS:
        return number % min(MAX_BLOCKS, len(names))
    a_group = math.ceil(MIN_BLOCKS / len(names))
    block = np.empty(len(group), np.int64)
    for i in range(len(names)):
        rows = np.flatnonzero(number == i)
        block[rows] = i * a_group + np.arange(len(rows)) * a_group // len(rows)
    return _numbered(block)[1]


def _numbered(group: IntArray) -> tuple[IntArray, IntArray]:
    """The groups in order, and the number of each row's group among them; groups are small whole numbers."""
    names = np.flatnonzero(np.bincount(group))
    place = np.empty(int(names[-1]) + 1, np.int64)
    place[names] = np.arange(len(names))
    return names, place[group]
