"""An engine that looks pipelines up in a recorded table, and applies the product's own rules of early stopping."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.search.table import Estimate, Table
from cemai_opt.core.batch import Prediction, Task
from cemai_opt.core.errors import TrialEndedError
from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.result import COMPLETE, PRUNED, Curve, CurvePoint, TrialResult
from cemai_opt.engines import Engine
from cemai_opt.models import MODELS
from cemai_opt.pipeline.cache import MIN_GAIN_S, stage_key
from cemai_opt.pipeline.early_stopping import EarlyStopping
from cemai_opt.pipeline.recorder import CHECKPOINTS, EVALUATE, TRAIN, Recording

WATTS = 4.0
HIT_J = 0.005
"""Joules of finding and mapping a cached stage result."""
SHARED = ("profile", "clean", "featurize", "split", "scale", "sequentialize", "combine")
"""Stages whose results trials share by the cache."""


class TableEngine(Engine):
    """Looks trials up in a table; results of shared stages are cached by the product's rules."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._cached: set[str] = set()

    def _run(self, plan: TrialPlan) -> Future[TrialResult]:
        done: Future[TrialResult] = Future()
        done.set_result(self.result(plan))
        return done

    def truth(self, config: Config) -> tuple[float, float]:
        """Score and joules of a configuration that runs to its end."""
        estimate = self._table.estimate(self._table.space.params_of(config))
        joules = sum(estimate.stages.values()) + estimate.train_j[-1] + estimate.evaluate_j[-1]
        return 1.0 - estimate.losses[-1], joules

    def result(self, plan: TrialPlan) -> TrialResult:
        """The result that running the plan would give; it ends early where the rules say so."""
        growth, sizes, full = _growth(plan.config)
        estimate = self._table.estimate(self._table.space.params_of(plan.config), (*sizes, full) if growth else ())
        rules = EarlyStopping(
            plan,
            Task(kind=plan.study.task, score=plan.study.score),
            full_size=full if growth else None,
            clock=lambda: 0.0,
        )
        saved_j = self._saved_j(plan, estimate)
        try:
            reached = [
                _run_fold(plan, rules, recorder=_TableRecorder(estimate, sizes, saved_j=saved_j), fold=i)
                for i in range(plan.folds)
            ]
        except TrialEndedError as ended:
            return _pruned(plan, rules, reason=ended.message)
        curve = _curve(growth, estimate, sizes=sizes[: min(reached)])
        if not all(fold.is_whole for fold in rules.folds):
            return _pruned(plan, rules, reason=rules.first_reason, curve=curve)
        return TrialResult(
            trial=plan.trial,
            state=COMPLETE,
            config=plan.config,
            cost=_cost(estimate, estimate.train_j[-1], evaluate_j=estimate.evaluate_j[-1]),
            spent=_spent(rules),
            score=1.0 - estimate.losses[-1],
            fold_scores=tuple(f.score for f in rules.folds if f.score is not None) if plan.folds > 1 else (),
            curve=curve,
        )

    def _saved_j(self, plan: TrialPlan, estimate: Estimate) -> float:
        """Joules that the cache saves this trial, whose own stage results are in the cache from then on."""
        if plan.cache is None:
            return 0.0
        parts: list[object] = []
        best_j = so_far_j = gain_j = 0.0
        for name in SHARED[:-1]:
            parts.append([name, dict(plan.config.params(name))])
            so_far_j += estimate.stages[name]
            gain_j += estimate.stages[name]
            key = stage_key(*parts)
            if key in self._cached:
                best_j, gain_j = so_far_j - HIT_J, 0.0
            elif gain_j > MIN_GAIN_S * WATTS and name != "sequentialize":
                self._cached.add(key)
                gain_j = 0.0
        return max(0.0, best_j)


@dataclass
class _TableRecorder:
    """Stands in for the recorder of one fold: its costs come from the table."""

    estimate: Estimate
    sizes: tuple[int, ...]
    saved_j: float
    factor: float = 1.0
    n_checkpoints: int = 0

    @contextmanager
    def aside(self, name: str, size: int | None = None) -> Iterator[None]:
        yield

    def recording(self) -> Recording:
        n = self.n_checkpoints
        points = {
            size: (_row(TRAIN, self.estimate.train_j[k]), _row(EVALUATE, self.estimate.evaluate_j[k]))
            for k, size in enumerate(self.sizes[:n])
        }
        train_j = self.estimate.train_j[n - 1] if n else 0.0
        cost = _cost(self.estimate, train_j, evaluate_j=0.0)
        return Recording(spent=self._spent(cost), cost=cost, points=points)

    def whole(self) -> Recording:
        cost = _cost(self.estimate, self.estimate.train_j[-1], evaluate_j=self.estimate.evaluate_j[-1])
        return Recording(spent=self._spent(cost), cost=cost, points=self.recording().points)

    def _spent(self, cost: Cost) -> Cost:
        checkpoints_j = sum(self.estimate.evaluate_j[: self.n_checkpoints])
        return Cost((*cost.rows, _row(CHECKPOINTS, checkpoints_j), _row("saved", -self.saved_j)))


def _run_fold(plan: TrialPlan, rules: EarlyStopping, *, recorder: _TableRecorder, fold: int) -> int:
    """Runs one fold under the rules: the number of checkpoints that it reached. TrialEndedError ends the trial."""
    estimate = recorder.estimate
    factor = estimate.fold_factor if fold == 0 and plan.folds > 1 else 1.0
    rules.begin_fold(recorder)  # type: ignore[arg-type]  # it has what the rules need
    try:
        if plan.bounds is not None:
            _train(rules, recorder, factor=factor)
        if not rules.reason:
            rules.record_full_fold(_evaluated(1.0 - factor * estimate.losses[-1]))
    except TrialEndedError:
        rules.end_fold(recorder.recording())
        raise
    rules.end_fold(recorder.recording() if rules.reason else recorder.whole())
    return recorder.n_checkpoints


def _train(rules: EarlyStopping, recorder: _TableRecorder, *, factor: float) -> None:
    """Passes through the checkpoints, until the rules end the training."""
    rules.before_training()
    for k, size in enumerate(recorder.sizes):
        recorder.n_checkpoints = k + 1
        batch = _evaluated(1.0 - factor * recorder.estimate.losses[k])
        if not rules.at_checkpoint(batch, size, evaluate=lambda evaluated: evaluated):
            break


def _growth(config: Config) -> tuple[str | None, tuple[int, ...], int]:
    """The hyperparameter by which the model grows, the sizes of its checkpoints, and its full size."""
    kind = MODELS.find(config.model)
    if kind.grows_by is None:
        return None, (), 0
    params = {name: value for name, value in config.params(TRAIN).items() if name != "model"}
    model = kind(params, Task(kind="regression", score="r2"))
    return kind.grows_by, model.checkpoints(), int(params[kind.grows_by])


def _evaluated(score: float) -> Any:
    """The fields of an evaluated batch that the rules read."""
    return SimpleNamespace(
        prediction=Prediction(np.empty(0)),
        metrics={"r2": score, "f1": score},
        y=np.empty(0),
        group=np.empty(0, np.intp),
        eval_rows=[],
        X=[0],
        importances={},
    )


def _pruned(plan: TrialPlan, rules: EarlyStopping, *, reason: str, curve: Curve | None = None) -> TrialResult:
    return TrialResult(
        trial=plan.trial, state=PRUNED, config=plan.config, spent=_spent(rules), reason=reason, curve=curve
    )


def _curve(growth: str | None, estimate: Estimate, *, sizes: tuple[int, ...]) -> Curve | None:
    points = tuple(
        CurvePoint(
            size=size,
            score=1.0 - estimate.losses[k],
            metrics={},
            train=_row(TRAIN, estimate.train_j[k]),
            evaluate=_row(EVALUATE, estimate.evaluate_j[k]),
        )
        for k, size in enumerate(sizes)
    )
    return Curve(growth, points) if growth and points else None


def _cost(estimate: Estimate, train_j: float, *, evaluate_j: float) -> Cost:
    rows = [_row(name, joules) for name, joules in estimate.stages.items()]
    return Cost((*rows, _row(TRAIN, train_j), _row(EVALUATE, evaluate_j)))


def _spent(rules: EarlyStopping) -> Cost:
    return Cost(tuple(row for fold in rules.folds for row in fold.recording.spent.rows))


def _row(stage: str, joules: float) -> Measurement:
    return Measurement(
        stage=stage,
        duration_s=joules / WATTS,
        cpu_s=joules / WATTS,
        energy_j={"cpu": joules},
        uncertainty_j=0.0,
        source="table",
    )
