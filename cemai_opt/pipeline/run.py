"""Runs one plan: the stages in order inside meter windows, once per fold."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cemai_opt.core.batch import Batch, Job, Prediction
from cemai_opt.core.errors import CemaiError, MeterError, TrialError
from cemai_opt.core.genes import Value
from cemai_opt.core.measurement import Cost, mean_of, sum_of
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.result import COMPLETE, FAILED, TrialResult
from cemai_opt.datasets import Dataset
from cemai_opt.meters import ForeignLoad, Meter
from cemai_opt.pipeline.inference import measure_inference
from cemai_opt.pipeline.recorder import Recorder
from cemai_opt.pipeline.splits import Fold, Splits
from cemai_opt.stages import STAGES, Stage
from cemai_opt.stages.evaluate import metrics_of, pooled


@dataclass(frozen=True)
class _Step:
    name: str
    stage: Stage
    params: Mapping[str, Value]


class Pipeline:
    """Runs plans over one data set with one set of meters."""

    def __init__(self, data: Dataset, splits: Splits, meters: Sequence[Meter]) -> None:
        self._data, self._splits, self._meters = data, splits, tuple(meters)
        self._load = ForeignLoad()

    def run(self, plan: TrialPlan) -> TrialResult:
        """The result of a plan; a stage that raises makes it a failed one, whose cost is what ran until then."""
        job = job_of(plan, self._data)
        folds = self._splits.search if plan.phase == "search" else (self._splits.final,)
        costs: list[Cost] = []
        batches: list[Batch] = []
        self._load.begin()
        try:
            steps = _steps(plan.config, plan.stages, job)
            for fold in folds:
                batch = self._batch(fold, job, with_test=plan.phase == "final")
                batches.append(self._run_steps(batch, steps, costs))
            result = self._complete(plan, job, batches, costs)
            return self._with_inference(result, batches[-1]) if plan.study.objective.needs_inference else result
        except MeterError:
            raise  # without a meter nothing after this trial can be measured either
        except Exception as error:  # whatever a library raises is this trial's failure, not the search's
            spent = sum_of(costs)
            return TrialResult(plan.trial, FAILED, plan.config, spent, spent, reason=_reason(error))

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

    def _run_steps(self, batch: Batch, steps: Sequence[_Step], costs: list[Cost]) -> Batch:
        with _threads(batch.job.threads), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            recorder = Recorder(self._meters)
            try:
                for step in steps:
                    with recorder.stage(step.name):
                        batch = _run_step(step, batch)
            finally:
                costs.append(recorder.close())
        told = dict.fromkeys(f"{w.category.__name__}: {str(w.message).splitlines()[0]}" for w in caught)
        return replace(batch, notes=(*batch.notes, *told))

    def _with_inference(self, result: TrialResult, batch: Batch) -> TrialResult:
        """The result with the cost of 1,000 predictions by the last fold's model; measuring it is spent, too."""
        with _threads(batch.job.threads):
            inference, spent = measure_inference(batch, result.cost, self._meters)
        return replace(result, inference=inference, spent=sum_of([result.spent, spent]))

    def _complete(self, plan: TrialPlan, job: Job, batches: list[Batch], costs: list[Cost]) -> TrialResult:
        metrics = _pooled_metrics(batches, job)
        score = metrics[job.score]
        if not np.isfinite(score):
            raise TrialError(f"{job.score} is not a number", "too few or constant validation targets?")
        return TrialResult(
            trial=plan.trial,
            state=COMPLETE,
            config=plan.config,
            cost=mean_of(costs),
            spent=sum_of(costs),
            score=score,
            metrics=metrics,
            importances=_mean_importances(batches),
            notes=tuple(dict.fromkeys(note for batch in batches for note in batch.notes)),
            foreign_load=self._load.share() if all(meter.is_live for meter in self._meters) else 0.0,
        )


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


def _pooled_metrics(batches: Sequence[Batch], job: Job) -> dict[str, float]:
    """Scores over the predictions of all folds together."""
    if len(batches) == 1:
        return dict(batches[0].metrics)
    predictions: list[Prediction] = [b.prediction for b in batches if b.prediction is not None]
    return metrics_of(np.concatenate([b.y[b.judge_rows] for b in batches]), pooled(predictions), job)


def _mean_importances(batches: Sequence[Batch]) -> dict[str, float]:
    names = dict.fromkeys(name for batch in batches for name in batch.importances)
    return {name: sum(b.importances.get(name, 0.0) for b in batches) / len(batches) for name in names}
