"""A weighted mean of the predictions of several pipelines: which weights are best, and what it scores and costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cemai_opt.core.average import AVERAGE, NO_TRIAL
from cemai_opt.core.batch import Prediction, Task
from cemai_opt.core.measurement import Cost, sum_of
from cemai_opt.core.plan import Config
from cemai_opt.core.result import COMPLETE, ScoredRows, TrialResult
from cemai_opt.core.scores import maximised
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.pipeline.threshold import decided, scored
from cemai_opt.stages.evaluate import averaged, metrics_of, score_of

ROUNDS, PATIENCE = 20, 5
"""The selection ends after this many rounds, or after this many in a row without a better score."""
MIN_GAIN = 1e-9


def best_weights(results: Sequence[TrialResult], *, study: ResolvedStudy) -> list[float]:
    """The weights of the average with the best score on the rows of the results; they add up to 1, most may be 0.

    `results` hold the same scored rows. Greedy selection with replacement: each round adds the result that makes the
    average best, and the average of the best round is taken (Caruana, Niculescu-Mizil, Crew and Ksikes (2004),
    Ensemble Selection from Libraries of Models, ICML).
    """
    rows = [_rows(result) for result in results]
    task = _task(study, rows[0])
    y, group, parts = rows[0].y, rows[0].group.astype(np.int64), [_prediction(own) for own in rows]
    counts, best, best_counts, last_gain = np.zeros(len(results)), -np.inf, np.zeros(len(results)), 0

    def score_with(i: int) -> float:
        tried = counts + (np.arange(len(counts)) == i)
        mean = averaged(parts, (tried / tried.sum()).tolist(), task=task)
        return score_of(y, decided(y, mean, task=task)[0], task=task, group=group)

    for n in range(ROUNDS):
        scores = [score_with(i) for i in range(len(parts))]
        counts[int(np.argmax(scores))] += 1
        if max(scores) > best + MIN_GAIN:
            best, best_counts, last_gain = max(scores), counts.copy(), n
        elif n - last_gain >= PATIENCE:
            break
    weights: list[float] = (best_counts / best_counts.sum()).tolist()
    return weights


def average_of(
    results: Sequence[TrialResult],
    weights: Sequence[float],
    *,
    study: ResolvedStudy,
    phase: str,
    threshold: float | None = None,
) -> TrialResult:
    """The result of an average over the rows that all `results` were scored on; its cost is the sum of theirs.

    `results` are complete and hold the same scored rows; `weights` add up to 1. In the phase "search" a decision
    threshold is chosen for F1 of two classes; in the phase "final" it is `threshold`.
    """
    rows = [_rows(result) for result in results]
    task = _task(study, rows[0], threshold=threshold)
    y, group = rows[0].y, rows[0].group.astype(np.int64)
    prediction = averaged([_prediction(own) for own in rows], weights, task=task)
    if phase == "search":
        metrics, threshold = scored(y, prediction, task=task, group=group)
    else:
        metrics = metrics_of(y, prediction, task=task, group=group)
    inferences = [Cost((result.inference,)) for result in results if result.inference is not None]
    return TrialResult(
        trial=NO_TRIAL,
        state=COMPLETE,
        config=Config({"train": {"model": AVERAGE}}),
        cost=sum_of([result.cost for result in results]),
        score=metrics[task.score],
        metrics=metrics,
        inference=sum_of(inferences).rows[0] if len(inferences) == len(results) else None,
        foreign_load=max(result.foreign_load for result in results),
        host=results[0].host,
        threshold=threshold,
    )


def _rows(result: TrialResult) -> ScoredRows:
    assert result.scored_rows is not None, "a result that is averaged keeps its rows"
    return result.scored_rows


def _task(study: ResolvedStudy, rows: ScoredRows, *, threshold: float | None = None) -> Task:
    n_classes = 0 if rows.by_class is None else rows.by_class.shape[1]
    return Task(kind=study.task, score=maximised(study.score), n_classes=n_classes, threshold=threshold)


def _prediction(rows: ScoredRows) -> Prediction:
    return Prediction(rows.value, rows.by_class)
