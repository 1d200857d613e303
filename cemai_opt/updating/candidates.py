"""Makes the model that may replace a deployed one: by continuing its training, by a refit, or by a search."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cemai_opt.compose import ORDERED_SPACE, prepare
from cemai_opt.core.average import AVERAGE, AverageConfig
from cemai_opt.core.batch import BoolArray, FloatArray, Prediction, Samples
from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.core.measurement import Cost, sum_of
from cemai_opt.core.plan import Config
from cemai_opt.core.serialization import to_json
from cemai_opt.core.study import ResolvedStudy, StudySpec
from cemai_opt.core.study_file import parse_resolved_study
from cemai_opt.core.yaml_text import yaml_text
from cemai_opt.datasets import Dataset
from cemai_opt.deploy.average_scorer import AverageScorer
from cemai_opt.deploy.export import export_model
from cemai_opt.deploy.fitted import FittedModel, Recipe, fit_model, write_model
from cemai_opt.deploy.model_document import ModelDocument
from cemai_opt.deploy.model_folder import CARD, CONFIG, REPORT, TrainedModel, load_model, write_sidecar
from cemai_opt.deploy.picked import pick
from cemai_opt.deploy.scorer import Scorer
from cemai_opt.meters import open_meters
from cemai_opt.pipeline import Recorder
from cemai_opt.runs import RunFolder
from cemai_opt.runs.run_folder import write_file
from cemai_opt.session import Session, final_plan, read_config_file
from cemai_opt.stages.evaluate import metrics_of

TEST_SHARE = 0.2
"""Share of the newest rows on which the model before and the one after are compared; neither is trained on them."""


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """Labelled rows that the model was not trained on, oldest first; the last ones are those of this update.

    `paths`: files since the model was made. `rows`: what they hold, and before that the file by which the model was
    made, if any. `train`: of each, rows to train on, (n_rows,). `held_out`: (n_rows,) those of the newest rows on which
    models are compared.
    """

    paths: tuple[str, ...]
    rows: tuple[Dataset, ...]
    train: tuple[BoolArray, ...]
    held_out: BoolArray

    @property
    def newest(self) -> Dataset:
        """The rows of this update."""
        return self.rows[-1]

    @property
    def y(self) -> FloatArray:
        """Targets of all rows to train on."""
        return np.concatenate([rows.y[mask] for rows, mask in zip(self.rows, self.train, strict=True)])


@dataclass(frozen=True, kw_only=True)
class Made:
    """A model folder that was made, and what it cost."""

    document: ModelDocument
    cost: Cost


def why_not_continue(model: TrainedModel, y: FloatArray) -> str:
    """Why training cannot go on with rows of these targets, (n_rows,), only, in words; empty if it can."""
    if not len(y):
        return "all new rows are held out"
    reasons = (scorer.model.why_not_partial_fit(y) for scorer in scorers_of(model))
    return next((reason for reason in reasons if reason), "")


def scorers_of(model: TrainedModel) -> list[Scorer]:
    """The fitted pipeline, or the parts of an average."""
    scorer = model.scorer
    return [part.scorer for part in scorer.parts] if isinstance(scorer, AverageScorer) else [scorer]


def continued(folder: Path, draft: Path, *, incoming: Incoming) -> Made:
    """The model in `folder` after more training with the new rows only; stages before it stay as they are."""
    model = load_model(folder)
    study, chosen = read_config_file(folder / CONFIG)
    configs = _configs(chosen)
    recorder = Recorder(open_meters("auto", "cpu", threads=model.scorer.task.threads))
    n_known, n_rows = model.document.training.rows or 0, 0
    with recorder.stage("train"):
        for scorer, config in zip(scorers_of(model), configs, strict=True):
            samples = _samples(scorer, incoming, share=float(config.params("combine").get("fraction", 1.0)))
            scorer.model.partial_fit(samples, n_known=n_known)
            n_rows = max(n_rows, len(samples.y))
    newest = incoming.newest
    rows = np.flatnonzero(incoming.held_out & newest.has_target)
    everything = model.scorer.predict(newest.X, newest.group)
    by_class = everything.by_class
    prediction = Prediction(everything.value[rows], None if by_class is None else by_class[rows])
    task = model.scorer.task
    batch = replace(
        scorers_of(model)[0].prepared(newest.X, newest.group),
        task=task,
        y=newest.y,
        eval_rows=rows,
        prediction=prediction,
    )
    cost = recorder.recording().cost
    fitted = FittedModel(
        scorer=model.scorer,
        batch=batch,
        metrics=metrics_of(newest.y[rows], prediction, task=task, group=newest.group[rows]),
        cost=cost,
        host=model.document.training.host,
        n_rows=n_known + n_rows,
    )
    longer = study.model_copy(update={"data": data_with(study.data, incoming.paths)})
    resolved = parse_resolved_study(longer.to_json(), str(folder / CONFIG))
    return Made(document=_written(fitted, draft, folder=folder, study=resolved, rows=newest), cost=cost)


def refitted(folder: Path, draft: Path, *, incoming: Incoming) -> Made:
    """The same pipeline, or average, trained on all rows, earlier ones too."""
    document = load_model(folder).document
    study, chosen = read_config_file(folder / CONFIG)
    prepared = prepare(_study_with(study, incoming.paths))
    is_average = isinstance(chosen, AverageConfig)
    trials = [part.trial for part in document.picked.parts] or [document.picked.trial]
    recipe = Recipe(
        plans=[
            replace(final_plan(prepared, config, is_part=True), trial=trial)
            for config, trial in zip(_configs(chosen), trials, strict=True)
        ],
        weights=chosen.weights if isinstance(chosen, AverageConfig) else [1.0],
        threshold=chosen.threshold if isinstance(chosen, AverageConfig) else None,
        is_average=is_average,
    )
    fitted = fit_model(recipe, study=prepared.study, rows=prepared.data)
    written = _written(fitted, draft, folder=folder, study=prepared.study, rows=prepared.data)
    return Made(document=written, cost=fitted.cost)


def searched(
    folder: Path,
    draft: Path,
    *,
    incoming: Incoming,
    run: Path,
    out: Path,
    budget_g: float,
    on_phase: Callable[[str], None],
) -> Made:
    """The member that the model's rule picks from a new search in `out`, on all rows, that starts from the front of
    `run` and spends at most `budget_g` grams."""
    document = load_model(folder).document
    study, _ = read_config_file(folder / CONFIG)
    before = RunFolder(run).study()
    search = before.search.model_copy(update={"warm_start": (str(run.resolve()),), "budget_g": budget_g})
    spec = _study_with(study, incoming.paths).model_copy(update={"search": search, "space": before.space})
    prepared = prepare(spec)
    on_phase(f"searching again from the front of {run}, in {out}")
    record = Session(prepared, RunFolder(out), with_audit=False).run()
    rule = document.picked.rule if not document.picked.rule.lstrip("-").isdigit() else "knee"
    exported = export_model(pick(RunFolder(out), rule), draft, study=prepared.study, rows=prepared.data)
    spent = sum_of([result.spent for result in record.results])
    return Made(document=exported.document, cost=spent)


def data_with(data: DataSpec, paths: Sequence[str]) -> DataSpec:
    """The data of a study with new rows appended; earlier test rows become training rows."""
    earlier = (data.test,) if data.test is not None else ()
    return data.model_copy(
        update={"append": (*earlier, *data.append, *paths), "test": None, "test_groups": (), "test_last": TEST_SHARE}
    )


def _study_with(study: StudySpec, paths: Sequence[str]) -> StudySpec:
    return study.without_bound().model_copy(update={"data": data_with(study.data, paths), "space": ORDERED_SPACE})


def _configs(chosen: Config | AverageConfig) -> list[Config]:
    return [part.config for part in chosen.parts] if isinstance(chosen, AverageConfig) else [chosen]


def _samples(scorer: Scorer, incoming: Incoming, *, share: float) -> Samples:
    """The new rows as training samples of a fitted pipeline; `share` of them, as in its first training."""
    parts = []
    for rows, mask in zip(incoming.rows, incoming.train, strict=True):
        numbers = np.flatnonzero(mask)
        numbers = numbers[:: max(round(1.0 / share), 1)]
        batch = scorer.prepared(rows.X, rows.group)
        assert batch.windows is not None, "a prepared batch has windows"
        y = (rows.y[numbers] - scorer.target_shift) / scorer.target_factor
        parts.append(Samples(batch.windows.take(numbers), y, rows.group[numbers]))
    group = [part.group + i * (1 + max(int(p.group.max(initial=0)) for p in parts)) for i, part in enumerate(parts)]
    return Samples(
        np.concatenate([part.X for part in parts]), np.concatenate([part.y for part in parts]), np.concatenate(group)
    )


def _written(fitted: FittedModel, draft: Path, *, folder: Path, study: ResolvedStudy, rows: Dataset) -> ModelDocument:
    """Writes the fitted model into `draft`, with the configuration, the report and the card of the one in `folder`."""
    _, chosen = read_config_file(folder / CONFIG)
    picked = load_model(folder).document.picked
    draft.mkdir()
    try:
        document = write_model(fitted, draft, picked=picked, study=study, rows=rows)
        pipelines = {AVERAGE: to_json(chosen)} if isinstance(chosen, AverageConfig) else {"config": chosen.mapping()}
        write_file(draft / CONFIG, yaml_text({"picked": to_json(picked), **pipelines, "study": study.to_json()}))
        for name in (CARD, REPORT):
            if (folder / name).is_file():
                shutil.copyfile(folder / name, draft / name)
        return write_sidecar(draft, document)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def check_present(paths: Sequence[str]) -> None:
    """StudyError unless all earlier files of new rows are still there."""
    for path in paths:
        if not Path(path).exists():
            raise StudyError(f"{path}, rows of an earlier update, is gone", "put it back: each update needs all rows")
