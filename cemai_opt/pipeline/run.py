"""Runs one plan: the stages in order, each measured, once per fold."""

from __future__ import annotations

import platform
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from cemai_opt.core.batch import Batch, Task, split_codes
from cemai_opt.core.errors import CemaiError, MeterError, TrialEndedError, TrialError
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.measurement import mean_of, sum_of
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.result import COMPLETE, FAILED, PRUNED, TrialResult
from cemai_opt.core.scores import maximised
from cemai_opt.datasets import Dataset
from cemai_opt.meters import ForeignLoad, Meter
from cemai_opt.models import MODELS
from cemai_opt.pipeline.cache import StageCache
from cemai_opt.pipeline.early_stopping import EarlyStopping, FoldRun
from cemai_opt.pipeline.inference import measure_inference
from cemai_opt.pipeline.recorder import EVALUATE, TRAIN, Recorder
from cemai_opt.pipeline.shared_stages import SharedStages
from cemai_opt.pipeline.splits import Fold, Splits
from cemai_opt.stages import STAGES, Stage
from cemai_opt.stages.evaluate import THRESHOLD

BYTES_PER_MB = 10**6


@dataclass(frozen=True)
class _BoundStage:
    """A stage with its complete parameters."""

    name: str
    stage: Stage
    params: Mapping[str, Value]

    def run(self, batch: Batch) -> Batch:
        """The batch after this stage. TrialError with the name of the stage and the error."""
        try:
            return self.stage.run(batch, self.params)
        except MeterError:
            raise
        except Exception as error:  # adds the stage's name; the failure is then recorded with the trial
            raise TrialError(f"{self.name}: {_reason(error)}") from error


@dataclass(frozen=True, kw_only=True)
class _Trial:
    """A running plan: its stages, before and from training on, and its early stopping."""

    plan: TrialPlan
    task: Task
    before: Sequence[_BoundStage]
    after: Sequence[_BoundStage]
    """Stages from training on."""
    early_stopping: EarlyStopping
    size_name: str | None
    """The hyperparameter that is the size of the model: its rounds, trees or epochs."""


class Pipeline:
    """Runs plans over one data set with one set of meters."""

    def __init__(
        self, data: Dataset, splits: Splits, *, meters: Sequence[Meter], load: ForeignLoad | None = None
    ) -> None:
        self._data, self._splits, self._meters = data, splits, tuple(meters)
        self._load = load or ForeignLoad()
        self._caches: dict[str, StageCache] = {}

    def run(self, plan: TrialPlan) -> TrialResult:
        """The result of a plan. It fails if a stage raises an exception, with the cost until then."""
        return self.fitted(plan)[0]

    def fitted(self, plan: TrialPlan) -> tuple[TrialResult, Batch | None]:
        """The result of a plan, and the last fold's batch with its fitted model if the trial is complete."""
        result, batch = self._result(plan)
        return replace(result, host=platform.node()), batch if result.is_complete else None

    def _result(self, plan: TrialPlan) -> tuple[TrialResult, Batch | None]:
        task = task_of(plan, self._data)
        folds = self._folds(plan)
        size_name, full_size = _model_size(plan.config)
        early_stopping = EarlyStopping(plan, task, full_size=full_size)
        batch: Batch | None = None
        self._load.begin()
        try:
            with _threads(task.threads):  # models are warmed up here
                before, after = _stages(plan, task)
            trial = _Trial(
                plan=plan,
                task=task,
                before=before,
                after=after,
                early_stopping=early_stopping,
                size_name=size_name,
            )
            for fold in folds:
                batch = self._run_fold(trial, fold)
            if not all(fold.is_whole for fold in early_stopping.folds):
                return self._pruned(trial), None
            result = self._complete(trial)
            needs_inference = plan.study.objective.needs_inference or plan.phase == "final"
            return (self._with_inference(result, batch) if batch is not None and needs_inference else result), batch
        except MeterError:
            raise  # without a meter, later trials cannot be measured either
        except TrialEndedError as ended:
            early_stopping.end(ended.message)
            return self._pruned(trial), None
        except Exception as error:  # any exception of a library fails this trial, not the search
            spent = sum_of([fold.recording.spent for fold in early_stopping.folds])
            failed = TrialResult(
                trial=plan.trial,
                state=FAILED,
                config=plan.config,
                cost=spent,
                spent=spent,
                reason=_reason(error),
                factor=self._factor(plan),
            )
            return failed, None

    def _folds(self, plan: TrialPlan) -> tuple[Fold, ...]:
        """The folds of a plan's phase, or the one of them that it names."""
        phases = {"search": self._splits.search, "confirm": self._splits.confirm, "final": (self._splits.final,)}
        folds = phases[plan.phase]
        return folds if plan.only_fold is None else (folds[plan.only_fold],)

    def _factor(self, plan: TrialPlan) -> float:
        """How many times as many rows there are as the plan runs on."""
        return self._splits.factor if plan.phase == "search" else 1.0

    def _batch(self, trial: _Trial, fold: Fold) -> Batch:
        """The rows of a fold; during the search without the test rows, so that no stage can use them."""
        data = self._data
        kept = slice(None) if trial.plan.phase == "final" else ~self._splits.test
        if trial.plan.phase == "search" and self._splits.explored is not None:
            kept = self._splits.explored
        n_codes = len(data.n_levels)
        X, codes = split_codes(data.X[kept], n_codes)
        n_numbers = len(data.names) - n_codes
        return Batch(
            task=trial.task,
            X=X,
            y=data.y[kept],
            group=data.group[kept],
            is_train=fold.is_train[kept],
            is_eval=fold.is_eval[kept],
            names=data.names[:n_numbers],
            regime=data.regime,
            codes=codes,
            code_names=data.names[n_numbers:],
        )

    def _run_fold(self, trial: _Trial, fold: Fold) -> Batch:
        """The batch after all stages of one fold, or after training if it ended early."""
        batch = self._batch(trial, fold)
        with _threads(trial.task.threads), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            recorder = Recorder(self._meters, factor=self._factor(trial.plan))
            run = trial.early_stopping.begin_fold(recorder)
            try:
                batch = self._preprocessed(trial, batch, recorder=recorder)
                batch = _trained(trial, batch, recorder=recorder)
            finally:
                trial.early_stopping.end_fold(recorder.recording())
        warned = dict.fromkeys(f"{w.category.__name__}: {str(w.message).splitlines()[0]}" for w in caught)
        run.notes = (*batch.notes, *warned)
        return batch

    def _preprocessed(self, trial: _Trial, batch: Batch, *, recorder: Recorder) -> Batch:
        """The batch after the stages before training; cached stages do not run."""
        n_found, shared = 0, None
        if trial.plan.cache is not None:
            cache = self._stage_cache(trial.plan.cache, trial.plan)
            shared = SharedStages(cache, self._data.digest, before=batch, recorder=recorder)
            for step in trial.before:
                shared.add(step.name, step.stage, params=step.params)
            batch, n_found = shared.found()
        for i, step in enumerate(trial.before[n_found:], n_found):
            with recorder.stage(step.name):
                batch = step.run(batch)
            if shared is not None:
                shared.offer(i, batch)
        return batch

    def _stage_cache(self, folder: str, plan: TrialPlan) -> StageCache:
        if folder not in self._caches:
            self._caches[folder] = StageCache(Path(folder), plan.study.search.cache_mb * BYTES_PER_MB)
        return self._caches[folder]

    def _with_inference(self, result: TrialResult, batch: Batch) -> TrialResult:
        """The result with the cost of 1,000 predictions by the last fold's model; `spent` includes measuring it."""
        with _threads(batch.task.threads):
            inference, spent = measure_inference(batch, result.cost, meters=self._meters, factor=result.factor)
        return replace(result, inference=inference, spent=sum_of([result.spent, spent]))

    def _foreign_load(self) -> float:
        return self._load.share() if all(meter.is_live for meter in self._meters) else 0.0

    def _complete(self, trial: _Trial) -> TrialResult:
        folds = trial.early_stopping.folds
        metrics, threshold = trial.early_stopping.metrics()
        score = metrics[trial.task.score]
        if not np.isfinite(score):
            raise TrialError(f"{trial.task.score} is not a number", "too few or constant validation targets?")
        return TrialResult(
            trial=trial.plan.trial,
            state=COMPLETE,
            config=trial.plan.config,
            cost=mean_of([fold.recording.cost for fold in folds]),
            spent=sum_of([fold.recording.spent for fold in folds]),
            score=score,
            metrics=metrics,
            importances=_mean_importances(folds),
            notes=tuple(dict.fromkeys(note for fold in folds for note in fold.notes)),
            foreign_load=self._foreign_load(),
            fold_scores=tuple(fold.score for fold in folds if fold.score is not None),
            curve=trial.early_stopping.curve(trial.size_name) if trial.size_name else None,
            threshold=threshold,
            scored_rows=trial.early_stopping.scored_rows() if trial.plan.keeps_rows else None,
            factor=self._factor(trial.plan),
        )

    def _pruned(self, trial: _Trial) -> TrialResult:
        """The result of a trial that ended early: its reason, and its learning curve until then."""
        folds = trial.early_stopping.folds
        ran_all = len(folds) == trial.plan.folds
        return TrialResult(
            trial=trial.plan.trial,
            state=PRUNED,
            config=trial.plan.config,
            cost=mean_of([fold.recording.cost for fold in folds]),
            spent=sum_of([fold.recording.spent for fold in folds]),
            reason=trial.early_stopping.first_reason,
            foreign_load=self._foreign_load(),
            factor=self._factor(trial.plan),
            curve=trial.early_stopping.curve(trial.size_name) if trial.size_name and ran_all else None,
        )


def _trained(trial: _Trial, batch: Batch, *, recorder: Recorder) -> Batch:
    """The batch after training and the stages after it; a plan with bounds has checkpoints."""
    early_stopping = trial.early_stopping
    if trial.plan.bounds is not None:
        early_stopping.before_training()
        after_training = [step for step in trial.after if step.name != TRAIN]
        until = next((i for i, step in enumerate(after_training) if step.name == EVALUATE), len(after_training) - 1)

        def evaluated(batch: Batch) -> Batch:
            for step in after_training[: until + 1]:
                batch = step.run(batch)
            return batch

        for step in trial.after:
            step.stage.on_checkpoint = partial(early_stopping.at_checkpoint, evaluate=evaluated)
    for step in trial.after:
        with recorder.stage(step.name):
            batch = step.run(batch)
        if early_stopping.reason:
            return batch
    early_stopping.record_full_fold(batch)
    return batch


def _model_size(config: Config) -> tuple[str | None, int | None]:
    """The hyperparameter that is the size of the configuration's model, and its full size."""
    name = MODELS.find(config.model).grows_by
    return (name, int(config.params(TRAIN)[name])) if name and name in config.params(TRAIN) else (None, None)


def task_of(plan: TrialPlan, data: Dataset) -> Task:
    """The task of a pipeline on `data`, as given by the plan's study."""
    study, threshold = plan.study, plan.config.params(EVALUATE).get(THRESHOLD)
    return Task(
        kind=study.task,
        score=maximised(study.score),
        n_classes=len(data.classes),
        seed=study.seed,
        threads=study.threads,
        device=study.device,
        threshold=None if threshold is None else float(threshold),
        n_levels=data.n_levels,
        is_series=study.split.by == "time",
    )


def stage_order(names: Sequence[str]) -> tuple[str, ...]:
    """Stage names in the order in which they run."""
    return tuple(sorted(names, key=lambda name: (STAGES.find(name).order, name)))


def _stages(plan: TrialPlan, task: Task) -> tuple[Sequence[_BoundStage], Sequence[_BoundStage]]:
    """Stages before training, and from training on, with their libraries loaded, which is not charged to the trial."""
    bound = []
    for name in plan.stages:
        kind = STAGES.require(name)
        params = kind.checked(name, plan.config.params(name), task=task.kind)
        stage = kind()
        stage.model = plan.config.model
        stage.prepare(params, task)
        bound.append(_BoundStage(name, stage, params=params))
    n_before = next((i for i, step in enumerate(bound) if step.name == TRAIN), len(bound))
    return bound[:n_before], bound[n_before:]


def _reason(error: Exception) -> str:
    if isinstance(error, CemaiError):
        return str(error)
    first_line = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__


def _threads(threads: int):  # type: ignore[no-untyped-def]  # threadpoolctl ships no types
    """Limits every loaded BLAS and OpenMP pool to `threads` threads."""
    return _thread_pools(len(sys.modules)).limit(limits=threads)


@lru_cache(maxsize=1)
def _thread_pools(n_modules: int):  # type: ignore[no-untyped-def]  # threadpoolctl ships no types
    """All thread pools; they are looked for again, which takes milliseconds, only when more modules are loaded."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _mean_importances(folds: Sequence[FoldRun]) -> dict[str, float]:
    names = dict.fromkeys(name for fold in folds for name in fold.importances)
    return {name: sum(fold.importances.get(name, 0.0) for fold in folds) / len(folds) for name in names}
