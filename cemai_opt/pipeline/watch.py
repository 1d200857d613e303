"""Looks at a trial's model while it grows, and ends what can no longer become useful."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cemai_opt.core.batch import Batch, FloatArray, Job, Prediction
from cemai_opt.core.errors import TrialEndedError, TrialError
from cemai_opt.core.limits import Limits
from cemai_opt.core.measurement import Cost, Measurement, mean_of
from cemai_opt.core.objective import objective_of
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import Curve, CurvePoint
from cemai_opt.pipeline.inference import per_1000, predict_for
from cemai_opt.pipeline.recorder import CHECKPOINTS, EVALUATE, INFERENCE, TRAIN, Recorder, Recording
from cemai_opt.stages.evaluate import metrics_of, pooled

LOOK_INFERENCE_S = 0.01
"""Predictions at a checkpoint are timed this long, where the objective asks for them."""


@dataclass
class FoldRun:
    """One fold: what was predicted at which size, and at last; `score` is None where it was ended on the way."""

    recorder: Recorder
    looks: dict[int, tuple[Prediction, float]] = field(default_factory=dict)
    n_predicted: dict[int, int] = field(default_factory=dict)
    recording: Recording = field(default_factory=lambda: Recording(Cost(), Cost()))
    y: FloatArray = field(default_factory=lambda: np.empty(0))
    n_rows: int = 1
    prediction: Prediction | None = None
    score: float | None = None
    importances: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Did the model reach its full size?"""
        return self.prediction is not None


class Watch:
    """The rules of one trial over all its folds. `reason` says why the fold in progress was ended, or nothing."""

    def __init__(
        self, plan: TrialPlan, job: Job, full: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._plan, self._job, self._full, self._clock = plan, job, full, clock
        self._limits = plan.limits or Limits()
        self._start_s = clock()
        self._spent_j = 0.0
        self._up_to: int | None = None
        self._is_overspent = False
        self.folds: list[FoldRun] = []
        self.reason = self.first_reason = ""

    def begin_fold(self, recorder: Recorder) -> FoldRun:
        """Takes note of one more fold. TrialEndedError where the folds before it leave no hope, or nothing to spend."""
        if self._is_overspent:
            raise TrialEndedError(self.reason)
        if len(self.folds) == 1:
            self._after_first_fold(self.folds[0])
        self.reason = ""
        self.folds.append(FoldRun(recorder))
        return self.folds[-1]

    def end_fold(self, recording: Recording) -> None:
        """Takes note of what a fold cost."""
        self.folds[-1].recording = recording
        self._spent_j += recording.spent.energy_j

    def before_training(self) -> None:
        """TrialEndedError where what was spent so far is too much already."""
        recorder = self.folds[-1].recorder
        with recorder.aside(CHECKPOINTS):
            recording = recorder.recording()
            cost_j = objective_of(self._plan.study.objective, recording.cost, None)
            reason = self._why_overspent(recording) or self._limits.why_too_dear(cost_j)
        if reason is not None:
            raise TrialEndedError(reason)

    def look(self, batch: Batch, size: int, evaluate: Callable[[Batch], Batch]) -> bool:
        """Scores the model at a size; False where it need not grow any further."""
        fold = self.folds[-1]
        try:
            with fold.recorder.aside(CHECKPOINTS, size):
                judged = evaluate(batch)
        except TrialError:  # not a number yet
            return True
        if self._plan.study.objective.needs_inference:
            with fold.recorder.aside(INFERENCE, size):
                fold.n_predicted[size] = predict_for(batch, LOOK_INFERENCE_S)
        with fold.recorder.aside(CHECKPOINTS):
            assert judged.prediction is not None, "evaluate predicts"
            fold.looks[size] = judged.prediction, judged.metrics[self._job.score]
            fold.y, fold.n_rows = batch.y[batch.judge_rows], len(batch.X)
            self.reason = self._why_stop(fold, size) or ""
            self.first_reason = self.first_reason or self.reason
        return not self.reason

    def whole(self, batch: Batch) -> None:
        """Takes note of a fold whose model has its full size."""
        fold = self.folds[-1]
        assert batch.prediction is not None, "evaluate predicts"
        fold.prediction, fold.score = batch.prediction, batch.metrics[self._job.score]
        fold.y, fold.n_rows, fold.importances = batch.y[batch.judge_rows], len(batch.X), batch.importances

    def metrics(self) -> Mapping[str, float]:
        """Scores over the predictions of all folds together."""
        predictions = [fold.prediction for fold in self.folds if fold.prediction is not None]
        return metrics_of(np.concatenate([fold.y for fold in self.folds]), pooled(predictions), self._job)

    def curve(self, knob: str) -> Curve | None:
        """The trial at every size that all folds have reached, folds pooled; None where there is no such size."""
        ends = [max(fold.looks, default=0) for fold in self.folds if not fold.is_whole]
        sizes = sorted({size for fold in self.folds for size in fold.looks if not ends or size <= min(ends)})
        points = [point for size in sizes if (point := self._point(size)) is not None]
        return Curve(knob, tuple(points)) if points else None

    def _why_overspent(self, recording: Recording) -> str | None:
        return self._limits.why_overspent(self._spent_j + recording.spent.energy_j, self._clock() - self._start_s)

    def _why_stop(self, fold: FoldRun, size: int) -> str | None:
        recording = fold.recorder.recording()
        overspent = self._why_overspent(recording)
        if overspent is not None:
            self._is_overspent = True
            return overspent
        if self._up_to is not None and size >= self._up_to:
            return f"at more than {size} it could not reach the front, by its first fold"
        cost_j = self._cost_j(fold, recording, size)
        too_dear = self._limits.why_too_dear(cost_j)
        if too_dear is not None:
            return too_dear
        assert self._full is not None, "only a model with a size is looked at"
        best = self._limits.best_ahead(size / self._full, fold.looks[size][1], _momentum(fold, size, self._full))
        if self._limits.is_dominated(cost_j, self._pooled_hope(best)):
            return f"at more than {size} it could not reach the front, by its curve"
        return None

    def _pooled_hope(self, score: float) -> float:
        """The best that all folds together may score where one has this score."""
        several = self._plan.folds > 1
        return 1.0 - (1.0 - score) * self._limits.fold_ratio if several else score

    def _after_first_fold(self, fold: FoldRun) -> None:
        """Finds the largest size that may still reach the front. TrialEndedError where there is none."""
        if fold.score is not None:
            cost_j = objective_of(self._plan.study.objective, fold.recording.cost, None)
            if self._plan.study.objective.needs_inference or self._may_be_useful(cost_j, fold.score):
                return
        hopeful = [
            size
            for size, (_, score) in fold.looks.items()
            if self._may_be_useful(self._cost_j(fold, fold.recording, size), score)
        ]
        if not hopeful:
            raise TrialEndedError("its first fold leaves no hope to reach the front")
        self._up_to = max(hopeful)

    def _may_be_useful(self, cost_j: float, score: float) -> bool:
        return not self._limits.is_dominated(cost_j, self._pooled_hope(score))

    def _cost_j(self, fold: FoldRun, recording: Recording, size: int) -> float:
        """Joules of the objective at a checkpoint."""
        inference = self._inference(fold, recording, size)
        return objective_of(self._plan.study.objective, _cost_at(recording, size), inference)

    def _inference(self, fold: FoldRun, recording: Recording, size: int) -> Measurement | None:
        if size not in fold.n_predicted:
            return None
        return per_1000(recording.inferences[size], fold.n_predicted[size], _cost_at(recording, size), fold.n_rows)

    def _point(self, size: int) -> CurvePoint | None:
        """All folds at one size; a fold that had stopped growing before stays as it was at last."""
        predictions, trains, evaluates, inferences = [], [], [], []
        for fold in self.folds:
            if size in fold.looks:
                predictions.append(fold.looks[size][0])
                train, evaluate = fold.recording.points[size]
                inferences.append(self._inference(fold, fold.recording, size))
            elif fold.prediction is not None:
                predictions.append(fold.prediction)
                rows = {row.stage: row for row in fold.recording.cost.rows}
                train, evaluate = rows[TRAIN], rows[EVALUATE]
            else:
                return None
            trains.append(train)
            evaluates.append(evaluate)
        y = np.concatenate([fold.y for fold in self.folds])
        metrics = metrics_of(y, pooled(predictions), self._job)
        known = [row for row in inferences if row is not None]
        if not np.isfinite(metrics[self._job.score]):
            return None
        inference = _mean(known) if known else None
        return CurvePoint(size, metrics[self._job.score], metrics, _mean(trains), _mean(evaluates), inference)


def _cost_at(recording: Recording, size: int) -> Cost:
    """What the run would have cost with a model of this size."""
    train, evaluate = recording.points[size]
    rows = {row.stage: row for row in recording.cost.rows} | {TRAIN: train, EVALUATE: evaluate}
    return Cost(tuple(rows.values()))


def _mean(rows: Sequence[Measurement]) -> Measurement:
    return mean_of([Cost((row,)) for row in rows]).rows[0]


def _momentum(fold: FoldRun, size: int, full: int) -> float:
    """What the loss shrinks by until the full size, if it goes on as between the last two looks; 0: it may vanish.

    Curves that saturate do worse than that, so it is a hopeful figure; only an ever steeper one does better.
    """
    earlier = [seen for seen in fold.looks if seen < size]
    if not earlier:
        return 0.0
    before = max(earlier)
    loss_before, loss = 1.0 - fold.looks[before][1], 1.0 - fold.looks[size][1]
    if loss_before <= 0.0 or loss <= 0.0:
        return 0.0
    return float(min(1.0, (loss / loss_before) ** ((full - size) / (size - before))))
