"""Exports a front member: its configuration, the fitted model, its card and its report."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cemai_opt.core.batch import Batch
from cemai_opt.core.errors import StudyError, TrialError
from cemai_opt.core.files import atomic_folder
from cemai_opt.core.registry import need
from cemai_opt.core.result import TrialResult
from cemai_opt.core.scores import maximised
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.core.yaml_text import yaml_text
from cemai_opt.datasets import Dataset
from cemai_opt.deploy.average_scorer import AnyScorer, WeightedScorer, average_scorer
from cemai_opt.deploy.intervals import score_interval
from cemai_opt.deploy.model_card import model_card
from cemai_opt.deploy.model_document import HistoryRows, ModelDocument, TestScore, TrainingCost
from cemai_opt.deploy.model_folder import (
    AVERAGE_FORMAT,
    CARD,
    CONFIG,
    FORMAT,
    REPORT,
    exported_files,
    write_sidecar,
)
from cemai_opt.deploy.parity import native_parity, onnx_form
from cemai_opt.deploy.picked import Picked
from cemai_opt.deploy.scorer import Scorer
from cemai_opt.pipeline import build_pipeline
from cemai_opt.pipeline.average import average_of
from cemai_opt.report.html_report import REPORT_LIBRARIES, html_report
from cemai_opt.runs.machine import PACKAGE, library_versions
from cemai_opt.runs.run_folder import write_file
from cemai_opt.runs.run_view import RunView
from cemai_opt.stages.evaluate import averaged


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What `export_model` has written."""

    folder: Path
    document: ModelDocument


@dataclass(frozen=True, kw_only=True)
class _Fitted:
    """A pipeline or an average that was trained again, and the batch with its predictions for the test rows."""

    result: TrialResult
    batch: Batch
    scorer: AnyScorer


def export_model(
    picked: Picked,
    out: Path,
    *,
    study: ResolvedStudy,
    rows: Dataset,
    on_phase: Callable[[str], None] = lambda phase: None,
) -> Exported:
    """Retrains the member as for its test score, on training and validation rows, and writes the folder of its model.

    `study` and `rows` are those of the run, as `compose.reopen` returns them. The folder is written atomically.
    StudyError if `out` holds something else.
    """
    need("skops", "safetensors", *REPORT_LIBRARIES)
    check_free(out)
    pipeline, fitted, scorers = build_pipeline(study), list[_Fitted](), list[Scorer]()
    for plan in picked.plans(study):
        on_phase(f"training trial {plan.trial} ({plan.config.model})")
        result, batch = pipeline.fitted(plan)
        if batch is None:
            raise TrialError(f"trial {plan.trial} could not be trained again: {result.reason}", "see trials.jsonl")
        scorers.append(Scorer.of(batch, rows.names, config=plan.config, stages=plan.stages))
        fitted.append(_Fitted(result=result, batch=batch, scorer=scorers[-1]))
    model = _averaged(picked, study, parts=fitted, scorers=scorers) if picked.member.parts else fitted[0]
    replaced = out.with_name(f".{out.name}-{os.getpid()}.old")
    with atomic_folder(out, draft=out.with_name(f".{out.name}-{os.getpid()}.part")) as draft:
        on_phase("comparing the predictions of its forms on the test rows")
        document = _document(picked, study, rows=rows, model=model, folder=draft)
        write_file(draft / CONFIG, yaml_text(picked.config_document()))
        view = RunView.of(picked.folder)
        write_file(draft / CARD, model_card(view, picked.member, document=document))
        write_file(draft / REPORT, html_report(view))
        document = write_sidecar(draft, document)
        check_free(out)  # again: training takes a while
        if out.exists():
            out.rename(replaced)
    shutil.rmtree(replaced, ignore_errors=True)
    return Exported(folder=out, document=document)


def check_free(out: Path) -> None:
    """StudyError unless a model may be written to `out`: a new folder, an empty one, or that of an earlier export.

    The folder of an earlier export is replaced only if it holds nothing else.
    """
    if not out.name:
        raise StudyError(f"--out {out} is the current folder", "name a folder in it")
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise StudyError(f"{out} is a {'link' if out.is_symlink() else 'file'}", "choose another --out for the folder")
    if not out.is_dir() or not any(out.iterdir()):
        return
    try:
        written = exported_files(out)
    except StudyError as error:
        raise StudyError(f"{out} is not empty, and holds no exported model", "choose another --out") from error
    foreign = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file() or path.is_symlink())
    for name in foreign:
        if name not in written:
            raise StudyError(
                f"{out} also holds {name}, which no export has written", "move it, or choose another --out"
            )


def _averaged(picked: Picked, study: ResolvedStudy, *, parts: Sequence[_Fitted], scorers: Sequence[Scorer]) -> _Fitted:
    """The average of several fitted pipelines, whose scorers are `scorers`."""
    weights, threshold = [weight for weight, _ in picked.parts], picked.member.threshold
    results = [part.result for part in parts]
    weighted = [
        WeightedScorer(scorer, weight, trial=result.trial)
        for scorer, weight, result in zip(scorers, weights, results, strict=True)
    ]
    scorer = average_scorer(weighted, threshold)
    predictions = [part.batch.prediction for part in parts if part.batch.prediction is not None]
    prediction = averaged(predictions, weights, task=scorer.task)
    return _Fitted(
        result=average_of(results, weights, study=study, phase="final", threshold=threshold),
        batch=replace(parts[0].batch, task=scorer.task, prediction=prediction),
        scorer=scorer,
    )


def _document(
    picked: Picked,
    study: ResolvedStudy,
    *,
    rows: Dataset,
    model: _Fitted,
    folder: Path,
) -> ModelDocument:
    """The sidecar; also writes the model's forms into `folder`."""
    scorer, batch, result = model.scorer, model.batch, model.result
    saved, lookback, carbon = scorer.save(folder), scorer.lookback, study.carbon
    return ModelDocument(
        format=AVERAGE_FORMAT if picked.member.parts else FORMAT,
        product=f"{PACKAGE} {library_versions()[PACKAGE]}",
        study=study.name,
        kind=study.task,
        classes=rows.classes,
        picked=picked.summary(),
        test=_test_score(study, rows, batch=batch, result=result),
        training=TrainingCost(
            energy_j=result.cost.energy_j,
            carbon_g=carbon.grams(result.cost.energy_j),
            uncertainty_g=carbon.grams(result.cost.uncertainty_j),
            source=result.cost.rows[0].source,
            host=result.host,
        ),
        carbon=carbon,
        horizon=rows.horizon,
        clip_target=study.data.clip_target,
        schema=rows.schema,
        history=HistoryRows(rows=lookback.rows, start_rows=lookback.start_rows, last_known=lookback.last_known),
        scorer=saved,
        versions=dict(library_versions()),
        native=native_parity(batch, rows, folder=folder, document=saved),
        onnx=onnx_form(scorer, batch, data=rows, folder=folder),
    )


def _test_score(study: ResolvedStudy, rows: Dataset, *, batch: Batch, result: TrialResult) -> TestScore:
    assert batch.prediction is not None, "a complete batch has predictions"
    assert result.score is not None, "a complete trial has a score"
    y = batch.y[batch.eval_rows]
    interval = score_interval(
        y,
        batch.prediction.value,
        score=study.score,
        group=batch.group[batch.eval_rows],
        has_groups=rows.has_groups,
    )
    return TestScore(
        score=maximised(study.score), value=result.score, interval=interval, metrics=dict(result.metrics), rows=len(y)
    )
