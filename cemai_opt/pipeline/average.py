"""A weighted mean of the predictions of several pipelines: which weights are best, and what it scores and costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cemai_opt.core.average import AVERAGE, NO_TRIAL
from cemai_opt.core.batch import Prediction, Task, last_rows
from cemai_opt.core.measurement import Cost, sum_of
from cemai_opt.core.objective import objective_j
from cemai_opt.core.plan import Config
from cemai_opt.core.result import COMPLETE, ScoredRows, TrialResult
from cemai_opt.core.scores import maximised, skill
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.pipeline.threshold import decided, scored
from cemai_opt.stages.evaluate import averaged, metrics_of, score_of

ROUNDS, PATIENCE = 20, 5
"""A selection ends after this many rounds, or after this many in a row without a better score."""
MIN_GAIN = 1e-9
MAX_ROWS = 20_000
"""Weights are chosen on at most about this many rows, evenly spaced."""


def best_weights(results: Sequence[TrialResult], *, study: ResolvedStudy) -> list[float]:
    """The weights of the best average on the rows of the results; they add up to 1, most may be 0.

    `results` hold the same scored rows. Greedy selection with replacement: each round adds the result that makes the
    average best, and the average of the best round is taken (Caruana, Niculescu-Mizil, Crew and Ksikes (2004),
    Ensemble Selection from Libraries of Models, ICML). Then the selection is repeated without its most expensive parts,
    one by one, as long as this makes it cheaper, the score stays within the study's tolerance, and better than the best
    single result by more than that; and beyond the tolerance while the sum of costs breaks the study's constraint.
    """
    selection, tolerance = _Selection(results, study), study.search.tolerance
    allowed = list(range(len(results)))
    best, weights = selection.of(allowed)
    lowest = max(selection.of([i])[0] for i in allowed) + tolerance
    while best > lowest:
        is_too_expensive = selection.cost_j(weights) > study.max_pipeline_j
        limit = lowest if is_too_expensive else max(lowest, best - tolerance)
        cheaper = _cheaper(selection, allowed, weights=weights, lowest=lowest, limit=limit)
        if cheaper is None:
            break
        allowed, weights = cheaper
    return weights


def _cheaper(
    selection: _Selection, allowed: Sequence[int], *, weights: Sequence[float], lowest: float, limit: float
) -> tuple[list[int], list[float]] | None:
    """What is allowed, and the weights, without the most expensive part that can be spared; None if there is none.

    The score without it has to be better than `lowest`, and at least `limit`.
    """
    parts = [i for i in allowed if weights[i] > 0.0]
    for dropped in sorted(parts, key=lambda i: -selection.costs_j[i]):
        fewer = [i for i in allowed if i != dropped]
        score, tried = selection.of(fewer)
        if score > lowest and score >= limit and selection.cost_j(tried) < selection.cost_j(weights):
            return fewer, tried
    return None


class _Selection:
    """Greedy selection among results that hold the same scored rows."""

    def __init__(self, results: Sequence[TrialResult], study: ResolvedStudy) -> None:
        rows = [_rows(result) for result in results]
        self.costs_j = [objective_j(study.objective, result) for result in results]
        self._task = _task(study, rows[0])
        kept = _kept(rows[0], self._task)
        self._y, self._group = rows[0].y[kept], rows[0].group[kept].astype(np.int64)
        self._parts = [
            Prediction(own.value[kept], None if own.by_class is None else own.by_class[kept]) for own in rows
        ]

    def cost_j(self, weights: Sequence[float]) -> float:
        """Joules of the objective of all parts with a weight."""
        return math.fsum(cost_j for cost_j, weight in zip(self.costs_j, weights, strict=True) if weight > 0.0)

    def of(self, wanted: Sequence[int]) -> tuple[float, list[float]]:
        """The best score of an average of the wanted results, and the weights of all results in it."""
        if not wanted:
            return -np.inf, [0.0] * len(self._parts)
        counts, best, best_counts, last_gain = np.zeros(len(self._parts)), -np.inf, np.zeros(len(self._parts)), 0
        for n in range(ROUNDS if len(wanted) > 1 else 1):
            scores = [self._score(counts, added=i) for i in wanted]
            counts[wanted[int(np.argmax(scores))]] += 1
            if max(scores) > best + MIN_GAIN:
                best, best_counts, last_gain = max(scores), counts.copy(), n
            elif n - last_gain >= PATIENCE:
                break
        return best, (best_counts / best_counts.sum()).tolist()

    def _score(self, counts: np.ndarray, *, added: int) -> float:
        used = [i for i in range(len(counts)) if counts[i] or i == added]
        weights = np.array([counts[i] + (i == added) for i in used])
        mean = averaged([self._parts[i] for i in used], (weights / weights.sum()).tolist(), task=self._task)
        return score_of(self._y, decided(self._y, mean, task=self._task)[0], task=self._task, group=self._group)


def _kept(rows: ScoredRows, task: Task) -> np.ndarray:
    """Numbers of the rows on which weights are chosen."""
    if task.score == skill("rmse_last"):
        return np.flatnonzero(last_rows(rows.group.astype(np.int64)))
    return np.arange(0, len(rows.y), -(-len(rows.y) // MAX_ROWS))


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
    average = TrialResult(
        trial=NO_TRIAL,
        state=COMPLETE,
        config=Config({"train": {"model": AVERAGE}}),
        score=metrics[task.score],
        metrics=metrics,
        threshold=threshold,
    )
    return with_costs_of(average, results)


def with_costs_of(average: TrialResult, results: Sequence[TrialResult]) -> TrialResult:
    """The average with the sum of what its parts cost, as they were measured last."""
    inferences = [Cost((result.inference,)) for result in results if result.inference is not None]
    return replace(
        average,
        cost=sum_of([result.cost for result in results]),
        inference=sum_of(inferences).rows[0] if len(inferences) == len(results) else None,
        foreign_load=max(result.foreign_load for result in results),
        host=results[0].host,
    )


def _rows(result: TrialResult) -> ScoredRows:
    assert result.scored_rows is not None, "a result that is averaged keeps its rows"
    return result.scored_rows


def _task(study: ResolvedStudy, rows: ScoredRows, *, threshold: float | None = None) -> Task:
    n_classes = 0 if rows.by_class is None else rows.by_class.shape[1]
    return Task(kind=study.task, score=maximised(study.score), n_classes=n_classes, threshold=threshold)


def _prediction(rows: ScoredRows) -> Prediction:
    return Prediction(rows.value, rows.by_class)
