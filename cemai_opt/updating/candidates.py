"""Makes the model that may replace a deployed one: by continuing its training, by a refit, or by a search."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cemai_opt.compose import prepare
from cemai_opt.core.average import AVERAGE, AverageConfig
from cemai_opt.core.batch import Batch, BoolArray, FloatArray, Prediction, Samples
from cemai_opt.core.config_file import read_config_file
from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.core.files import sha256_of_path
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
from cemai_opt.deploy.model_folder import CARD, CONFIG, REPORT, TrainedModel, load_model, write_sidecar
from cemai_opt.deploy.picked import pick
from cemai_opt.deploy.scorer import Scorer
from cemai_opt.meters import open_meters
from cemai_opt.open_choices import ORDERED_SPACE
from cemai_opt.pipeline import Recorder
from cemai_opt.runs import RunFolder
from cemai_opt.runs.run_folder import write_file
from cemai_opt.session import Session, final_plan
from cemai_opt.stages.evaluate import metrics_of
from cemai_opt.updating.log import UpdateEntry

RULES = ("knee", "best", "within", "greenest", "average")
"""Rules by which a search's member is picked as the deployed one was; the first, if that was picked by its number."""
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
class Deployed:
    """The model that is to be replaced, with the study and the pipeline, or the average, of its `config.yaml`."""

    model: TrainedModel
    study: StudySpec
    chosen: Config | AverageConfig

    @staticmethod
    def of(model: TrainedModel) -> Deployed:
        """That of a model which was loaded from a folder."""
        study, chosen = read_config_file(model.folder / CONFIG)
        return Deployed(model=model, study=study, chosen=chosen)

    @property
    def configs(self) -> list[Config]:
        """The pipeline, or the parts of the average."""
        return [part.config for part in self.chosen.parts] if isinstance(self.chosen, AverageConfig) else [self.chosen]

    def study_with(self, paths: Sequence[str]) -> StudySpec:
        """The study with new rows appended; nothing is searched."""
        data = data_with(self.study.data, paths)
        return self.study.without_bound().model_copy(update={"data": data, "space": ORDERED_SPACE})


@dataclass(frozen=True, kw_only=True)
class Made:
    """A model that was made, whose folder is the draft, and what it cost."""

    model: TrainedModel
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


def continued(deployed: Deployed, draft: Path, *, incoming: Incoming) -> Made:
    """The model itself after more training with the new rows only; the stages before it stay as they are."""
    model, newest = deployed.model, incoming.newest
    recorder = Recorder(open_meters("auto", "cpu", threads=model.scorer.task.threads))
    n_known = model.document.training.rows or 0
    with recorder.stage("train"):
        for scorer, config in zip(scorers_of(model), deployed.configs, strict=True):
            share = float(config.params("combine").get("fraction", 1.0))
            scorer.model.partial_fit(_samples(scorer, incoming, share=share), n_known=round(share * n_known))
    cost, task = recorder.recording().cost, model.scorer.task
    rows = np.flatnonzero(incoming.held_out & newest.has_target)
    predicted = model.scorer.predict(newest.X, newest.group)
    by_class = predicted.by_class
    prediction = Prediction(predicted.value[rows], None if by_class is None else by_class[rows])
    nobody = np.zeros(len(newest.y), bool)
    fitted = FittedModel(
        scorer=model.scorer,
        batch=Batch(
            task=task,
            X=newest.X,
            y=newest.y,
            group=newest.group,
            is_train=nobody,
            is_eval=incoming.held_out,
            names=newest.names,
            eval_rows=rows,
            prediction=prediction,
        ),
        metrics=metrics_of(newest.y[rows], prediction, task=task, group=newest.group[rows]),
        cost=cost,
        host=model.document.training.host,
        n_rows=n_known + len(incoming.y),
    )
    study = parse_resolved_study(deployed.study_with(incoming.paths).to_json(), str(model.folder / CONFIG))
    return Made(model=_written(fitted, draft, deployed=deployed, study=study, rows=newest), cost=cost)


def refitted(deployed: Deployed, draft: Path, *, incoming: Incoming) -> Made:
    """The same pipeline, or average, trained on all rows, earlier ones too."""
    prepared = prepare(deployed.study_with(incoming.paths))
    chosen, picked = deployed.chosen, deployed.model.document.picked
    trials = [part.trial for part in picked.parts] or [picked.trial]
    recipe = Recipe(
        plans=[
            replace(final_plan(prepared, config, is_part=True), trial=trial)
            for config, trial in zip(deployed.configs, trials, strict=True)
        ],
        weights=chosen.weights if isinstance(chosen, AverageConfig) else [1.0],
        threshold=chosen.threshold if isinstance(chosen, AverageConfig) else None,
        is_average=isinstance(chosen, AverageConfig),
    )
    fitted = fit_model(recipe, study=prepared.study, rows=prepared.data)
    written = _written(fitted, draft, deployed=deployed, study=prepared.study, rows=prepared.data)
    return Made(model=written, cost=fitted.cost)


def searched(deployed: Deployed, draft: Path, *, incoming: Incoming, run: Path, out: Path, budget_g: float) -> Made:
    """The member that the model's rule picks from a new search in `out`, on all rows, that starts from the front of
    `run` and spends at most `budget_g` grams."""
    before = RunFolder(run).study()
    search = before.search.model_copy(update={"warm_start": (str(run.resolve()),), "budget_g": budget_g})
    spec = deployed.study_with(incoming.paths).model_copy(update={"search": search, "space": before.space})
    prepared = prepare(spec.without_bound())
    record = Session(prepared, RunFolder(out), with_audit=False).run()
    rule = deployed.model.document.picked.rule
    picked = pick(RunFolder(out), rule if rule in RULES else RULES[0])
    export_model(picked, draft, study=prepared.study, rows=prepared.data)
    return Made(model=load_model(draft), cost=sum_of([result.spent for result in record.results]))


def data_with(data: DataSpec, paths: Sequence[str]) -> DataSpec:
    """The data of a study with new rows appended; earlier test rows become training rows."""
    earlier = (data.test,) if data.test is not None else ()
    return data.model_copy(
        update={"append": (*earlier, *data.append, *paths), "test": None, "test_groups": (), "test_last": TEST_SHARE}
    )


def _samples(scorer: Scorer, incoming: Incoming, *, share: float) -> Samples:
    """The new rows as training samples of a fitted pipeline; `share` of them, as in its first training."""
    parts = []
    for rows, mask in zip(incoming.rows, incoming.train, strict=True):
        numbers = np.flatnonzero(mask)
        numbers = numbers[:: max(round(1.0 / share), 1)]
        batch = scorer.prepared(rows.X, rows.group)
        assert batch.windows is not None, "a prepared batch has windows"
        y = scorer.target.scaled(rows.y[numbers])
        parts.append(Samples(batch.windows.take(numbers), y, rows.group[numbers]))
    group = [part.group + i * (1 + max(int(p.group.max(initial=0)) for p in parts)) for i, part in enumerate(parts)]
    return Samples(
        np.concatenate([part.X for part in parts]), np.concatenate([part.y for part in parts]), np.concatenate(group)
    )


def _written(
    fitted: FittedModel, draft: Path, *, deployed: Deployed, study: ResolvedStudy, rows: Dataset
) -> TrainedModel:
    """Writes the fitted model into `draft`, with the configuration, the report and the card of the deployed one."""
    chosen, folder, picked = deployed.chosen, deployed.model.folder, deployed.model.document.picked
    draft.mkdir()
    document = write_model(fitted, draft, picked=picked, study=study, rows=rows)
    pipelines = {AVERAGE: to_json(chosen)} if isinstance(chosen, AverageConfig) else {"config": chosen.mapping()}
    write_file(draft / CONFIG, yaml_text({"picked": to_json(picked), **pipelines, "study": study.to_json()}))
    for name in (CARD, REPORT):
        if (folder / name).is_file():
            shutil.copyfile(folder / name, draft / name)
    return TrainedModel(document=write_sidecar(draft, document), scorer=fitted.scorer, folder=draft)


def check_unchanged(entries: Sequence[UpdateEntry]) -> None:
    """StudyError unless all files of earlier updates are still there, as they were."""
    for entry in entries:
        path = Path(entry.data)
        if not path.exists():
            raise StudyError(f"{path}, rows of update {entry.number}, is gone", "put it back: an update needs all rows")
        if sha256_of_path(path) != entry.data_sha256:
            raise StudyError(f"{path} has changed since update {entry.number}", "give each update a new file")
