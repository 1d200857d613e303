"""An engine that looks pipelines up in a table, under the product's own rules for ending a trial early."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.search.table import Foretold, Table
from cemai_opt.core.batch import Job, Prediction
from cemai_opt.core.errors import TrialEndedError
from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.result import COMPLETE, PRUNED, Curve, CurvePoint, TrialResult
from cemai_opt.engines import Engine
from cemai_opt.models import MODELS
from cemai_opt.pipeline.cache import MIN_GAIN_S, stage_key
from cemai_opt.pipeline.recorder import CHECKPOINTS, EVALUATE, TRAIN, Recording
from cemai_opt.pipeline.watch import Watch

WATTS = 4.0
HIT_J = 0.005
"""What finding and mapping a stage result costs."""
SHARED = ("profile", "clean", "featurize", "split", "scale", "sequentialize", "combine")


class TableEngine(Engine):
    """Trials out of a table; what stages share is cached as the product would."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._cached: set[str] = set()

    def _run(self, plan: TrialPlan) -> Future[TrialResult]:
        done: Future[TrialResult] = Future()
        done.set_result(self.result(plan))
        return done

    def truth(self, config: Config) -> tuple[float, float]:
        """Score and joules of a configuration, whatever would have become of it in a search."""
        told = self._table.foretold(self._table.space.genome_of(config), ())
        joules = sum(told.stages.values()) + told.train_j[-1] + told.evaluate_j[-1]
        return 1.0 - told.losses[-1], joules

    def result(self, plan: TrialPlan) -> TrialResult:
        """What running the plan would have given, ended early where the rules say so."""
        knob, sizes, full = self._growth(plan.config)
        told = self._table.foretold(self._table.space.genome_of(plan.config), (*sizes, full) if knob else ())
        watch = Watch(plan, Job(plan.study.task, plan.study.score), full or None, clock=lambda: 0.0)
        saved_j, n_folds, reached = self._saved_j(plan, told), plan.folds, []
        try:
            for i in range(n_folds):
                factor = told.fold_factor if i == 0 and n_folds > 1 else 1.0
                recorder = _Recorder(told, sizes, saved_j)
                fold = watch.begin_fold(recorder)  # type: ignore[arg-type]  # has what a Watch asks for
                if plan.limits is not None:
                    self._looked_at(watch, recorder, factor)
                reached.append(recorder.n_looks)
                watch.end_fold(recorder.recording() if watch.reason else recorder.whole())
                if not watch.reason:
                    fold.prediction, fold.score = _seen(1.0).prediction, 1.0 - factor * told.losses[-1]
        except TrialEndedError as ended:
            if len(watch.folds) > len(reached):
                watch.end_fold(recorder.recording())
            return TrialResult(plan.trial, PRUNED, plan.config, Cost(), _spent(watch), reason=ended.message)
        curve = _curve(knob, told, sizes, min(reached))
        if not all(fold.is_whole for fold in watch.folds):
            reason = watch.first_reason
            return TrialResult(plan.trial, PRUNED, plan.config, Cost(), _spent(watch), reason=reason, curve=curve)
        return TrialResult(
            plan.trial,
            COMPLETE,
            plan.config,
            _cost(told, told.train_j[-1], told.evaluate_j[-1]),
            _spent(watch),
            score=1.0 - told.losses[-1],
            fold_scores=tuple(fold.score for fold in watch.folds if fold.score is not None) if n_folds > 1 else (),
            curve=curve,
        )

    def _looked_at(self, watch: Watch, recorder: _Recorder, factor: float) -> None:
        """Lets the watch look at every checkpoint, as far as it wants the model to grow."""
        watch.before_training()
        for k, size in enumerate(recorder.sizes):
            recorder.n_looks = k + 1
            batch = _seen(1.0 - factor * recorder.told.losses[k])
            if not watch.look(batch, size, lambda seen: seen):
                break

    def _growth(self, config: Config) -> tuple[str | None, tuple[int, ...], int]:
        kind = MODELS.find(config.model)
        if kind.grows_by is None:
            return None, (), 0
        params = {name: value for name, value in config.params(TRAIN).items() if name != "model"}
        model = kind(params, Job("regression", "r2"))
        return kind.grows_by, model.checkpoints(), int(params[kind.grows_by])

    def _saved_j(self, plan: TrialPlan, told: Foretold) -> float:
        """Joules that the cache saves this trial; what the trial makes is in it afterwards."""
        if plan.cache is None:
            return 0.0
        parts: list[object] = []
        best_j = so_far_j = gain_j = 0.0
        for name in SHARED[:-1]:
            parts.append([name, dict(plan.config.params(name))])
            so_far_j += told.stages[name]
            gain_j += told.stages[name]
            key = stage_key(*parts)
            if key in self._cached:
                best_j, gain_j = so_far_j - HIT_J, 0.0
            elif gain_j > MIN_GAIN_S * WATTS and name != "sequentialize":
                self._cached.add(key)
                gain_j = 0.0
        return max(0.0, best_j)


@dataclass
class _Recorder:
    """Stands for the recorder of one fold."""

    told: Foretold
    sizes: tuple[int, ...]
    saved_j: float
    n_looks: int = 0

    @contextmanager
    def aside(self, name: str, size: int | None = None) -> Iterator[None]:
        yield

    def recording(self) -> Recording:
        n = self.n_looks
        points = {
            size: (_row(TRAIN, self.told.train_j[k]), _row(EVALUATE, self.told.evaluate_j[k]))
            for k, size in enumerate(self.sizes[:n])
        }
        train_j = self.told.train_j[n - 1] if n else 0.0
        cost = _cost(self.told, train_j, 0.0)
        return Recording(self._spent(cost), cost, points)

    def whole(self) -> Recording:
        cost = _cost(self.told, self.told.train_j[-1], self.told.evaluate_j[-1])
        return Recording(self._spent(cost), cost, self.recording().points)

    def _spent(self, cost: Cost) -> Cost:
        looks_j = sum(self.told.evaluate_j[: self.n_looks])
        return Cost((*cost.rows, _row(CHECKPOINTS, looks_j), _row("saved", -self.saved_j)))


def _seen(score: float) -> Any:
    """What a watch reads off an evaluated batch."""
    return SimpleNamespace(
        prediction=Prediction(np.empty(0)), metrics={"r2": score, "f1": score}, y=np.empty(0), judge_rows=[], X=[0]
    )


def _curve(knob: str | None, told: Foretold, sizes: tuple[int, ...], n_looks: int) -> Curve | None:
    points = tuple(
        CurvePoint(size, 1.0 - told.losses[k], {}, _row(TRAIN, told.train_j[k]), _row(EVALUATE, told.evaluate_j[k]))
        for k, size in enumerate(sizes[:n_looks])
    )
    return Curve(knob, points) if knob and points else None


def _cost(told: Foretold, train_j: float, evaluate_j: float) -> Cost:
    rows = [_row(name, joules) for name, joules in told.stages.items()]
    return Cost((*rows, _row(TRAIN, train_j), _row(EVALUATE, evaluate_j)))


def _spent(watch: Watch) -> Cost:
    return Cost(tuple(row for fold in watch.folds for row in fold.recording.spent.rows))


def _row(stage: str, joules: float) -> Measurement:
    return Measurement(stage, joules / WATTS, joules / WATTS, {"cpu": joules}, 0.0, "table")
