"""A pipeline or an average that was fitted for deployment, and the files of its model."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cemai_opt.core.batch import Batch
from cemai_opt.core.errors import TrialError
from cemai_opt.core.measurement import Cost
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.scores import maximised
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.datasets import Dataset
from cemai_opt.deploy.average_scorer import AnyScorer, WeightedScorer, average_scorer
from cemai_opt.deploy.intervals import score_interval
from cemai_opt.deploy.model_document import HistoryRows, ModelDocument, PickedMember, TestScore, TrainingCost
from cemai_opt.deploy.model_folder import AVERAGE_FORMAT, FORMAT, LOG_FORMAT
from cemai_opt.deploy.parity import native_parity, onnx_form
from cemai_opt.deploy.scorer import Scorer
from cemai_opt.deploy.unit_errors import UnitErrors, units_of
from cemai_opt.meters import open_meters
from cemai_opt.pipeline import Splits, build_pipeline
from cemai_opt.pipeline.average import average_of
from cemai_opt.runs.machine import PACKAGE, library_versions
from cemai_opt.stages.evaluate import averaged


@dataclass(frozen=True, kw_only=True)
class FittedModel:
    """A fitted pipeline or average: `batch` holds its predictions for the test rows, `metrics` their scores.

    `n_rows`: rows that it could be trained on, of which a pipeline may take a share; `with_test_rows`: those of the
    test are among them, so the metrics are not those of unseen rows.
    """

    scorer: AnyScorer
    batch: Batch
    metrics: dict[str, float]
    cost: Cost
    host: str
    n_rows: int
    with_test_rows: bool = False


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is trained: the plan of each part, their weights, and the decision threshold of an average."""

    plans: Sequence[TrialPlan]
    weights: Sequence[float]
    threshold: float | None = None
    is_average: bool = False


def fit_model(
    recipe: Recipe,
    *,
    study: ResolvedStudy,
    rows: Dataset,
    with_test_rows: bool = False,
    on_phase: Callable[[str], None] = lambda phase: None,
) -> FittedModel:
    """Trains all parts on training and validation rows, or on all rows, and predicts the test rows.

    TrialError if one of them fails.
    """
    pipeline = build_pipeline(study, with_test_rows=with_test_rows)
    results, batches, scorers = [], list[Batch](), list[Scorer]()
    for plan in recipe.plans:
        on_phase(f"training trial {plan.trial} ({plan.config.model})")
        result, batch = pipeline.fitted(plan)
        if batch is None or batch.samples is None:
            raise TrialError(f"trial {plan.trial} could not be trained again: {result.reason}", "see trials.jsonl")
        batch.model.summarize(batch.samples)
        scorers.append(Scorer.of(batch, rows.names, config=plan.config, stages=plan.stages))
        results.append(result)
        batches.append(batch)
    splits = Splits.of(rows, study.split, seed=study.seed)
    n_rows = int((rows.has_target if with_test_rows else splits.final.is_train).sum())
    scorer: AnyScorer
    result, batch, scorer = results[0], batches[0], scorers[0]
    if recipe.is_average:
        scorer = average_scorer(_weighted(recipe, scorers), recipe.threshold)
        predictions = [batch.prediction for batch in batches if batch.prediction is not None]
        prediction = averaged(predictions, recipe.weights, task=scorer.task)
        batch = replace(batches[0], task=scorer.task, prediction=prediction)
        result = average_of(results, recipe.weights, study=study, phase="final", threshold=recipe.threshold)
    return FittedModel(
        scorer=scorer,
        batch=batch,
        metrics=dict(result.metrics),
        cost=result.cost,
        host=result.host,
        n_rows=n_rows,
        with_test_rows=with_test_rows,
    )


def _weighted(recipe: Recipe, scorers: Sequence[Scorer]) -> list[WeightedScorer]:
    """The parts of an average."""
    return [
        WeightedScorer(scorer, weight, trial=plan.trial)
        for scorer, weight, plan in zip(scorers, recipe.weights, recipe.plans, strict=True)
    ]


@dataclass(frozen=True, kw_only=True)
class Tested:
    """The score of a pipeline on test rows, and the joules of training it for that beside the model that is kept."""

    score: TestScore
    energy_j: float = 0.0


def _format_of(scorer: AnyScorer) -> int:
    """The lowest version that does not misread it."""
    parts = [scorer] if isinstance(scorer, Scorer) else [part.scorer for part in scorer.parts]
    if any(part.target.is_log for part in parts):
        return LOG_FORMAT
    return FORMAT if isinstance(scorer, Scorer) else AVERAGE_FORMAT


def write_model(
    model: FittedModel,
    folder: Path,
    *,
    picked: PickedMember,
    study: ResolvedStudy,
    rows: Dataset,
    tested: Tested | None = None,
) -> ModelDocument:
    """Writes the model's forms into `folder`, compares them, and returns the sidecar, which is not written.

    `tested` is the test of the same pipeline without the test rows, if the model was trained on them.
    """
    tested = tested or Tested(score=score_on_test(model, study, rows=rows))
    scorer, batch, carbon = model.scorer, model.batch, study.carbon
    meters = open_meters(carbon.meter, "cpu", threads=study.threads)
    start_j = math.fsum(meter.peek_j() for meter in meters)
    saved, lookback = scorer.save(folder), scorer.lookback
    native = native_parity(batch, rows, folder=folder, document=saved)
    onnx = onnx_form(scorer, batch, data=rows, folder=folder)
    files_j = math.fsum(meter.peek_j() for meter in meters) - start_j
    return ModelDocument(
        format=_format_of(scorer),
        product=f"{PACKAGE} {library_versions()[PACKAGE]}",
        study=study.name,
        kind=study.task,
        classes=rows.classes,
        picked=picked,
        test=tested.score,
        training=TrainingCost(
            energy_j=model.cost.energy_j,
            carbon_g=carbon.grams(model.cost.energy_j),
            uncertainty_g=carbon.grams(model.cost.uncertainty_j),
            source=model.cost.rows[0].source,
            host=model.host,
            rows=model.n_rows,
            with_test_rows=model.with_test_rows,
            test_j=tested.energy_j,
            files_j=files_j,
        ),
        carbon=carbon,
        horizon=rows.horizon,
        clip_target=study.data.clip_target,
        schema=rows.schema,
        history=HistoryRows(
            rows=lookback.rows,
            start_rows=lookback.start_rows,
            last_known=lookback.last_known,
            continues=study.split.by == "time",
        ),
        scorer=saved,
        versions=dict(library_versions()),
        native=native,
        onnx=onnx,
    )


def score_on_test(model: FittedModel, study: ResolvedStudy, *, rows: Dataset) -> TestScore:
    """The scores of a model on test rows that it was not trained on, with their interval and errors."""
    batch = model.batch
    assert batch.prediction is not None, "a complete batch has predictions"
    y, value, group = batch.y[batch.eval_rows], batch.prediction.value, batch.group[batch.eval_rows]
    return TestScore(
        score=maximised(study.score),
        value=model.metrics[maximised(study.score)],
        interval=score_interval(y, value, score=study.score, group=group, has_groups=rows.has_groups),
        metrics=model.metrics,
        rows=len(y),
        errors=UnitErrors.of(
            y,
            value,
            score=study.score,
            is_classification=batch.task.is_classification,
            unit=units_of(group, has_groups=rows.has_groups),
        ),
    )
