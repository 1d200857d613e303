"""Evaluates a trial's model at checkpoints of its training, and ends the trial when it can no longer become useful."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cemai_opt.core.batch import Batch, FloatArray, IntArray, Prediction, Task
from cemai_opt.core.errors import TrialEndedError, TrialError
from cemai_opt.core.measurement import Cost, Measurement, mean_of
from cemai_opt.core.objective import objective_of
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.pruning_bounds import PruningBounds
from cemai_opt.core.result import Curve, CurvePoint, ScoredRows
from cemai_opt.pipeline.inference import per_1000, predict_for
from cemai_opt.pipeline.recorder import CHECKPOINTS, EVALUATE, INFERENCE, TRAIN, Recorder, Recording
from cemai_opt.pipeline.threshold import chooses_threshold, scored
from cemai_opt.stages.evaluate import metrics_of, pooled

CHECKPOINT_INFERENCE_S = 0.01
"""Predictions at a checkpoint are measured for this long, if the objective needs them."""


@dataclass(kw_only=True)
class FoldRun:
    """One fold: its predictions at each size and at the end; `score` is None if it was ended early."""

    recorder: Recorder
    checkpoints: dict[int, tuple[Prediction, float]] = field(default_factory=dict)
    n_predicted: dict[int, int] = field(default_factory=dict)
    recording: Recording = field(default_factory=lambda: Recording(spent=Cost(), cost=Cost()))
    y: FloatArray = field(default_factory=lambda: np.empty(0))
    group: IntArray = field(default_factory=lambda: np.empty(0, np.intp))
    n_rows: int = 1
    prediction: Prediction | None = None
    score: float | None = None
    importances: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the model reached its full size."""
        return self.prediction is not None


class EarlyStopping:
    """The rules of one trial over all its folds. `reason` states why the current fold was ended, if it was."""

    def __init__(
        self, plan: TrialPlan, task: Task, *, full_size: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._plan, self._task, self._full, self._clock = plan, task, full_size, clock
        self._bounds = plan.bounds or PruningBounds()
        self._start_s = clock()
        self._spent_j = 0.0
        self._max_size: int | None = None
        self._is_overspent = False
        self.folds: list[FoldRun] = []
        self.reason = self.first_reason = ""

    def begin_fold(self, recorder: Recorder) -> FoldRun:
        """Begins a fold. TrialEndedError if earlier folds rule it out, or if the budget is used up."""
        if self._is_overspent:
            raise TrialEndedError(self.reason)
        if len(self.folds) == 1:
            self._after_first_fold(self.folds[0])
        self.reason = ""
        self.folds.append(FoldRun(recorder=recorder))
        return self.folds[-1]

    def end(self, reason: str) -> None:
        """Ends the trial for a reason that was not found at a checkpoint."""
        self.first_reason = self.first_reason or reason

    def end_fold(self, recording: Recording) -> None:
        """Ends the current fold, with its cost."""
        self.folds[-1].recording = recording
        self._spent_j += recording.spent.energy_j

    def before_training(self) -> None:
        """TrialEndedError if the cost before training is already too high."""
        recorder = self.folds[-1].recorder
        with recorder.aside(CHECKPOINTS):
            recording = recorder.recording()
            cost_j = objective_of(self._plan.study.objective, recording.cost, inference=None)
            reason = self._why_overspent(recording) or self._bounds.why_too_expensive(cost_j)
        if reason is not None:
            raise TrialEndedError(reason)

    def at_checkpoint(self, batch: Batch, size: int, *, evaluate: Callable[[Batch], Batch]) -> bool:
        """Scores the model at a size; False if training should stop."""
        fold = self.folds[-1]
        try:
            with fold.recorder.aside(CHECKPOINTS, size):
                evaluated = evaluate(batch)
        except TrialError:  # predictions are not yet finite
            return True
        if self._plan.study.objective.needs_inference:
            with fold.recorder.aside(INFERENCE, size):
                fold.n_predicted[size] = predict_for(batch, CHECKPOINT_INFERENCE_S)
        with fold.recorder.aside(CHECKPOINTS):
            assert evaluated.prediction is not None, "evaluate predicts"
            fold.checkpoints[size] = evaluated.prediction, self._score(evaluated)
            fold.y, fold.group = batch.y[batch.eval_rows], batch.group[batch.eval_rows]
            fold.n_rows = round(fold.recorder.factor * len(batch.X))
            self.reason = self._why_stop(fold, size) or ""
            self.first_reason = self.first_reason or self.reason
        return not self.reason

    def record_full_fold(self, batch: Batch) -> None:
        """Records a fold whose model has reached its full size."""
        fold = self.folds[-1]
        assert batch.prediction is not None, "evaluate predicts"
        fold.y, fold.group = batch.y[batch.eval_rows], batch.group[batch.eval_rows]
        fold.n_rows = round(fold.recorder.factor * len(batch.X))
        fold.importances = batch.importances
        score = self._score(batch)
        fold.prediction, fold.score = batch.prediction, None if np.isnan(score) else score

    def metrics(self) -> tuple[Mapping[str, float], float | None]:
        """Scores over the predictions of all folds together, and the decision threshold that was chosen on them."""
        predictions = [fold.prediction for fold in self.folds if fold.prediction is not None]
        return self._scored(pooled(predictions))

    def scored_rows(self) -> ScoredRows:
        """The evaluation rows of all folds, and their predictions at the full size."""
        prediction = pooled([fold.prediction for fold in self.folds if fold.prediction is not None])
        y, group = (np.concatenate([getattr(fold, name) for fold in self.folds]) for name in ("y", "group"))
        return ScoredRows(y=y, group=group.astype(np.float64), value=prediction.value, by_class=prediction.by_class)

    def _score(self, batch: Batch) -> float:
        """The score of one fold, with the threshold that is best for it if one is to be chosen.

        Not a number where one fold has none: the last rows of groups are not scored where there is only one group.
        """
        assert batch.prediction is not None, "evaluate predicts"
        if self._plan.phase != "final" and chooses_threshold(batch.prediction, self._task):
            return scored(batch.y[batch.eval_rows], batch.prediction, task=self._task)[0][self._task.score]
        return batch.metrics.get(self._task.score, math.nan)

    def _scored(self, prediction: Prediction) -> tuple[dict[str, float], float | None]:
        """Scores of all folds together. Validation rows choose a decision threshold, test rows nothing."""
        y, group = (np.concatenate([getattr(fold, name) for fold in self.folds]) for name in ("y", "group"))
        if self._plan.phase != "final":
            return scored(y, prediction, task=self._task, group=group)
        return metrics_of(y, prediction, task=self._task, group=group), None

    def curve(self, size_name: str) -> Curve | None:
        """The trial at every size that all folds have reached, folds pooled; None if there is no such size."""
        ends = [max(fold.checkpoints, default=0) for fold in self.folds if not fold.is_whole]
        sizes = sorted({size for fold in self.folds for size in fold.checkpoints if not ends or size <= min(ends)})
        points = [point for size in sizes if (point := self._point(size)) is not None]
        return Curve(size_name, tuple(points)) if points else None

    def _why_overspent(self, recording: Recording) -> str | None:
        return self._bounds.why_overspent(self._spent_j + recording.spent.energy_j, self._clock() - self._start_s)

    def _why_stop(self, fold: FoldRun, size: int) -> str | None:
        recording = fold.recorder.recording()
        overspent = self._why_overspent(recording)
        if overspent is not None:
            self._is_overspent = True
            return overspent
        if self._max_size is not None and size >= self._max_size:
            return f"at more than {size} it could not reach the front, by its first fold"
        cost_j = self._cost_j(fold, recording, size=size)
        too_expensive = self._bounds.why_too_expensive(cost_j)
        if too_expensive is not None:
            return too_expensive
        assert self._full is not None, "only a model with a size has checkpoints"
        best = self._bounds.best_ahead(
            size / self._full, fold.checkpoints[size][1], momentum=_momentum(fold, size, full=self._full)
        )
        if self._bounds.is_dominated(cost_j, self._optimistic_pooled_score(best)):
            return f"at more than {size} it could not reach the front, by its curve"
        return None

    def _optimistic_pooled_score(self, score: float) -> float:
        """The best score that all folds together may reach if one has this score."""
        several = self._plan.folds > 1
        return 1.0 - (1.0 - score) * self._bounds.fold_ratio if several else score

    def _after_first_fold(self, fold: FoldRun) -> None:
        """Finds the largest size that may still reach the front. TrialEndedError if there is none."""
        if fold.is_whole and fold.score is None:
            return
        if fold.score is not None:
            cost_j = objective_of(self._plan.study.objective, fold.recording.cost, inference=None)
            if self._plan.study.objective.needs_inference or self._may_be_useful(cost_j, fold.score):
                return
        hopeful = [
            size
            for size, (_, score) in fold.checkpoints.items()
            if self._may_be_useful(self._cost_j(fold, fold.recording, size=size), score)
        ]
        if not hopeful:
            raise TrialEndedError("it could not reach the front, by its first fold")
        self._max_size = max(hopeful)

    def _may_be_useful(self, cost_j: float, score: float) -> bool:
        return not self._bounds.is_dominated(cost_j, self._optimistic_pooled_score(score))

    def _cost_j(self, fold: FoldRun, recording: Recording, *, size: int) -> float:
        """Joules of the objective at a checkpoint."""
        inference = self._inference(fold, recording, size=size)
        return objective_of(self._plan.study.objective, _cost_at(recording, size), inference=inference)

    def _inference(self, fold: FoldRun, recording: Recording, *, size: int) -> Measurement | None:
        if size not in fold.n_predicted:
            return None
        return per_1000(
            recording.inferences[size], fold.n_predicted[size], cost=_cost_at(recording, size), n_rows=fold.n_rows
        )

    def _point(self, size: int) -> CurvePoint | None:
        """All folds at one size; a fold that ended training at a smaller size counts with its final state."""
        predictions, trains, evaluates, inferences = [], [], [], []
        for fold in self.folds:
            if size in fold.checkpoints:
                predictions.append(fold.checkpoints[size][0])
                train, evaluate = fold.recording.points[size]
                inferences.append(self._inference(fold, fold.recording, size=size))
            elif fold.prediction is not None:
                predictions.append(fold.prediction)
                rows = {row.stage: row for row in fold.recording.cost.rows}
                train, evaluate = rows[TRAIN], rows[EVALUATE]
            else:
                return None
            trains.append(train)
            evaluates.append(evaluate)
        metrics, threshold = self._scored(pooled(predictions))
        known = [row for row in inferences if row is not None]
        if not np.isfinite(metrics[self._task.score]):
            return None
        inference = _mean(known) if known else None
        return CurvePoint(
            size=size,
            score=metrics[self._task.score],
            metrics=metrics,
            train=_mean(trains),
            evaluate=_mean(evaluates),
            inference=inference,
            threshold=threshold,
        )


def _cost_at(recording: Recording, size: int) -> Cost:
    """The cost of the run with a model of this size."""
    train, evaluate = recording.points[size]
    rows = {row.stage: row for row in recording.cost.rows} | {TRAIN: train, EVALUATE: evaluate}
    return Cost(tuple(rows.values()))


def _mean(rows: Sequence[Measurement]) -> Measurement:
    return mean_of([Cost((row,)) for row in rows]).rows[0]


def _momentum(fold: FoldRun, size: int, *, full: int) -> float:
    """The factor of the loss until the full size, extrapolated from the last two checkpoints; 0 without two of them.

    It is optimistic for curves that saturate, and pessimistic only for curves that become steeper.
    """
    earlier = [seen for seen in fold.checkpoints if seen < size]
    if not earlier:
        return 0.0
    before = max(earlier)
    loss_before, loss = 1.0 - fold.checkpoints[before][1], 1.0 - fold.checkpoints[size][1]
    if loss_before <= 0.0 or loss <= 0.0:
        return 0.0
    return float(min(1.0, (loss / loss_before) ** ((full - size) / (size - before))))
