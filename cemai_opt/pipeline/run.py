"""Runs one plan: the stages in order inside meter windows, once per fold."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cemai_opt.core.batch import Batch, Job
from cemai_opt.core.errors import CemaiError, MeterError, TrialEndedError, TrialError
from cemai_opt.core.genes import Value
from cemai_opt.core.measurement import mean_of, sum_of
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.result import COMPLETE, FAILED, PRUNED, TrialResult
from cemai_opt.datasets import Dataset
from cemai_opt.meters import ForeignLoad, Meter
from cemai_opt.models import MODELS
from cemai_opt.pipeline.cache import StageCache
from cemai_opt.pipeline.inference import measure_inference
from cemai_opt.pipeline.recorder import EVALUATE, TRAIN, Recorder
from cemai_opt.pipeline.shared_stages import SharedStages
from cemai_opt.pipeline.splits import Fold, Splits
from cemai_opt.pipeline.watch import FoldRun, Watch
from cemai_opt.stages import STAGES, Stage

BYTES_PER_MB = 10**6


@dataclass(frozen=True)
class _Step:
    name: str
    stage: Stage
    params: Mapping[str, Value]


class Pipeline:
    """Runs plans over one data set with one set of meters."""

    def __init__(self, data: Dataset, splits: Splits, meters: Sequence[Meter], load: ForeignLoad | None = None) -> None:
        self._data, self._splits, self._meters = data, splits, tuple(meters)
        self._load = load or ForeignLoad()
        self._caches: dict[str, StageCache] = {}

    def run(self, plan: TrialPlan) -> TrialResult:
        """The result of a plan; a stage that raises makes it a failed one, whose cost is what ran until then."""
        return self.fitted(plan)[0]

    def fitted(self, plan: TrialPlan) -> tuple[TrialResult, Batch | None]:
        """The result of a plan, and the last fold's batch with its fitted model where the trial is complete."""
        result, batch = self._result(plan)
        return replace(result, host=platform.node()), batch if result.is_complete else None

    def _result(self, plan: TrialPlan) -> tuple[TrialResult, Batch | None]:
        job = job_of(plan, self._data)
        folds = self._splits.search if plan.phase == "search" else (self._splits.final,)
        knob, full = _growth(plan.config)
        watch = Watch(plan, job, full)
        batch: Batch | None = None
        self._load.begin()
        try:
            with _threads(job.threads):  # models are warmed up here
                steps = _steps(plan.config, plan.stages, job)
            for fold in folds:
                batch = self._batch(fold, job, with_test=plan.phase == "final")
                batch = self._run_fold(batch, plan, steps, watch)
            if not all(fold.is_whole for fold in watch.folds):
                return self._ended(plan, watch, knob), None
            result = self._complete(plan, job, watch, knob)
            needs_inference = plan.study.objective.needs_inference or plan.phase == "final"
            return (self._with_inference(result, batch) if batch is not None and needs_inference else result), batch
        except MeterError:
            raise  # without a meter nothing after this trial can be measured either
        except TrialEndedError as ended:
            watch.first_reason = watch.first_reason or ended.message
            return self._ended(plan, watch, knob), None
        except Exception as error:  # whatever a library raises is this trial's failure, not the search's
            spent = sum_of([fold.recording.spent for fold in watch.folds])
            return TrialResult(plan.trial, FAILED, plan.config, spent, spent, reason=_reason(error)), None

    def _batch(self, fold: Fold, job: Job, with_test: bool) -> Batch:
        """All rows of a fold; in the search without the test rows, so that no stage can look at them."""
        data = self._data
        kept = slice(None) if with_test else ~self._splits.test
        return Batch(
            job=job,
            X=data.X[kept],
            y=data.y[kept],
            group=data.group[kept],
            learn=fold.learn[kept],
            judge=fold.judge[kept],
            names=data.names,
        )

    def _run_fold(self, batch: Batch, plan: TrialPlan, steps: Sequence[_Step], watch: Watch) -> Batch:
        """The batch after all stages of one fold, or after training where that was ended early."""
        with _threads(batch.job.threads), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            recorder = Recorder(self._meters)
            fold = watch.begin_fold(recorder)
            try:
                batch, left = self._prepared(batch, plan, steps, recorder)
                batch = self._trained(batch, plan, left, recorder, watch)
            finally:
                watch.end_fold(recorder.recording())
        told = dict.fromkeys(f"{w.category.__name__}: {str(w.message).splitlines()[0]}" for w in caught)
        fold.notes = (*batch.notes, *told)
        return batch

    def _prepared(
        self, batch: Batch, plan: TrialPlan, steps: Sequence[_Step], recorder: Recorder
    ) -> tuple[Batch, Sequence[_Step]]:
        """The batch after the stages before training, from the cache as far as it reaches; and the stages left."""
        n_before = next((i for i, step in enumerate(steps) if step.name == TRAIN), len(steps))
        if plan.cache is None:
            for step in steps[:n_before]:
                with recorder.stage(step.name):
                    batch = _run_step(step, batch)
            return batch, steps[n_before:]
        cache = SharedStages(self._stage_cache(plan.cache, plan), self._data.digest, batch, recorder)
        for step in steps[:n_before]:
            cache.add(step.name, step.stage, step.params)
        batch, n_found = cache.found()
        for i, step in enumerate(steps[n_found:n_before], n_found):
            with recorder.stage(step.name):
                batch = _run_step(step, batch)
            cache.offer(i, batch)
        return batch, steps[n_before:]

    def _stage_cache(self, folder: str, plan: TrialPlan) -> StageCache:
        if folder not in self._caches:
            self._caches[folder] = StageCache(Path(folder), plan.study.search.cache_mb * BYTES_PER_MB)
        return self._caches[folder]

    def _trained(
        self, batch: Batch, plan: TrialPlan, steps: Sequence[_Step], recorder: Recorder, watch: Watch
    ) -> Batch:
        """The batch after training and what comes after it; watched where the plan has limits."""
        if plan.limits is not None:
            watch.before_training()
            after = [step for step in steps if step.name != TRAIN]
            until = next((i for i, step in enumerate(after) if step.name == EVALUATE), len(after) - 1)

            def evaluated(batch: Batch) -> Batch:
                for step in after[: until + 1]:
                    batch = _run_step(step, batch)
                return batch

            batch = replace(batch, watch=lambda grown, size: watch.look(grown, size, evaluated))
        for step in steps:
            with recorder.stage(step.name):
                batch = _run_step(step, batch)
            if watch.reason:
                return batch
        watch.whole(batch)
        return batch

    def _with_inference(self, result: TrialResult, batch: Batch) -> TrialResult:
        """The result with the cost of 1,000 predictions by the last fold's model; measuring it is spent, too."""
        with _threads(batch.job.threads):
            inference, spent = measure_inference(batch, result.cost, self._meters)
        return replace(result, inference=inference, spent=sum_of([result.spent, spent]))

    def _complete(self, plan: TrialPlan, job: Job, watch: Watch, knob: str | None) -> TrialResult:
        metrics = watch.metrics()
        score = metrics[job.score]
        if not np.isfinite(score):
            raise TrialError(f"{job.score} is not a number", "too few or constant validation targets?")
        return TrialResult(
            trial=plan.trial,
            state=COMPLETE,
            config=plan.config,
            cost=mean_of([fold.recording.cost for fold in watch.folds]),
            spent=sum_of([fold.recording.spent for fold in watch.folds]),
            score=score,
            metrics=metrics,
            importances=_mean_importances(watch.folds),
            notes=tuple(dict.fromkeys(note for fold in watch.folds for note in fold.notes)),
            foreign_load=self._load.share() if all(meter.is_live for meter in self._meters) else 0.0,
            fold_scores=tuple(fold.score for fold in watch.folds if fold.score is not None),
            curve=watch.curve(knob) if knob else None,
        )

    def _ended(self, plan: TrialPlan, watch: Watch, knob: str | None) -> TrialResult:
        """A trial that was ended early, with its reason, and with what it was at smaller sizes of its model."""
        ran_all = len(watch.folds) == plan.folds
        return TrialResult(
            trial=plan.trial,
            state=PRUNED,
            config=plan.config,
            cost=mean_of([fold.recording.cost for fold in watch.folds]),
            spent=sum_of([fold.recording.spent for fold in watch.folds]),
            reason=watch.first_reason,
            foreign_load=self._load.share() if all(meter.is_live for meter in self._meters) else 0.0,
            curve=watch.curve(knob) if knob and ran_all else None,
        )


def _growth(config: Config) -> tuple[str | None, int | None]:
    """The hyperparameter by which the configuration's model grows, and its full size."""
    model = MODELS.find(config.model)
    knob = model.grows_by
    return (knob, int(config.params(TRAIN)[knob])) if knob and knob in config.params(TRAIN) else (None, None)


def job_of(plan: TrialPlan, data: Dataset) -> Job:
    """What the plan's study asks of a pipeline over `data`."""
    study = plan.study
    return Job(study.task, study.score, len(data.classes), study.seed, study.threads, study.device)


def stage_order(names: Sequence[str]) -> tuple[str, ...]:
    """Stage names in the order in which they run."""
    return tuple(sorted(names, key=lambda name: (STAGES.find(name).order, name)))


def _steps(config: Config, names: Sequence[str], job: Job) -> list[_Step]:
    """Stages with complete parameters, their libraries loaded: nothing of this is charged to the trial."""
    steps = []
    for name in names:
        kind = STAGES.require(name)
        params = kind.checked(name, config.params(name), job.task)
        stage = kind()
        stage.prepare(params, job)
        steps.append(_Step(name, stage, params))
    return steps


def _run_step(step: _Step, batch: Batch) -> Batch:
    try:
        return step.stage.run(batch, step.params)
    except MeterError:
        raise
    except Exception as error:  # told with the stage's name, then recorded as the trial's failure
        raise TrialError(f"{step.name}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, CemaiError):
        return str(error)
    first_line = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__


def _threads(threads: int):  # type: ignore[no-untyped-def]  # threadpoolctl ships no types
    """Holds every loaded BLAS and OpenMP pool to `threads` threads."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=threads)


def _mean_importances(folds: Sequence[FoldRun]) -> dict[str, float]:
    names = dict.fromkeys(name for fold in folds for name in fold.importances)
    return {name: sum(fold.importances.get(name, 0.0) for fold in folds) / len(folds) for name in names}
