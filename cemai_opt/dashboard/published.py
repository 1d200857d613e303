"""Optuna's dashboard for a run, with additional figures, notes and artifacts.

Nothing is written to the run: these are overlaid on its storage when it is read.
"""

from __future__ import annotations

import copy
import io
import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import optuna
from optuna.storages import BaseStorage, InMemoryStorage

from cemai_opt.core.errors import StudyError
from cemai_opt.core.units import readable_grams
from cemai_opt.core.yaml_text import yaml_text
from cemai_opt.report.html_report import html_report
from cemai_opt.report.plotly_figures import plotly_figures
from cemai_opt.runs.front_member import FrontMember
from cemai_opt.runs.recommendation import recommendation_lines, yearly_use
from cemai_opt.runs.run_folder import FRONT, RunFolder
from cemai_opt.runs.run_view import RunView
from cemai_opt.search.storage.delegating import DelegatingStorage

ARTIFACTS = "dashboard:artifacts:"
"""Prefix of the study attributes in which the dashboard stores artifacts of trials."""


@dataclass(frozen=True)
class Published:
    """The overlay of a study: attributes in the dashboard's format, and contents of artifacts by their id."""

    attributes: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class _Trial:
    """The part of a trial that `optuna_dashboard.save_note` reads."""

    storage: BaseStorage
    study: optuna.Study
    _trial_id: int


@dataclass(frozen=True)
class _PlotlyFigure:
    """A figure that already exists as JSON."""

    document: Mapping[str, Any]

    def to_json(self) -> str:
        """The figure as JSON, for `optuna_dashboard.save_plotly_graph_object`."""
        return json.dumps(self.document)


def published(view: RunView, trial_ids: Mapping[int, int]) -> Published:
    """Figures and a note of the study, a note and artifacts (config, report) of each front member.

    `trial_ids`: the storage's ids of trials, by number.
    """
    from optuna_dashboard import save_note, save_plotly_graph_object

    scratch = InMemoryStorage()
    study = optuna.create_study(storage=scratch, directions=["maximize", "minimize"])
    for name, figure in plotly_figures(view).items():
        save_plotly_graph_object(study, _PlotlyFigure(figure), graph_object_id=name)
    save_note(study, _study_note(view))
    artifacts: dict[str, bytes] = {}
    metas: dict[str, str] = {}
    report = html_report(view).encode()
    for member in view.members:
        trial_id = trial_ids.get(member.trial)
        if trial_id is None:
            continue
        save_note(_Trial(scratch, study, trial_id), _member_note(view, member))
        config = yaml_text({"config": member.config.mapping(), "study": view.study.to_json()}).encode()
        for name, mimetype, content in (("config.yaml", "text/plain", config), ("report.html", "text/html", report)):
            key = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{member.trial}/{name}"))
            artifacts[key] = content
            meta = {"artifact_id": key, "filename": name, "mimetype": mimetype, "encoding": None}
            metas[f"{ARTIFACTS}{trial_id}:{key}"] = json.dumps(meta)
    attributes = scratch.get_study_system_attrs(scratch.get_study_id_from_name(study.study_name))
    return Published({**attributes, **metas}, artifacts)


class PublishedStorage(DelegatingStorage):
    """A storage with the published overlay, which is updated whenever the run has written its front."""

    def __init__(self, inner: BaseStorage, folder: RunFolder) -> None:
        super().__init__(inner)
        self._folder = folder
        self._lock = threading.Lock()
        self._updated_ns: int | None = None
        self._published = Published()

    def published(self) -> Published:
        """The current overlay; empty before the run's first front."""
        with self._lock:
            try:
                written_ns = (self._folder.path / FRONT).stat().st_mtime_ns
            except OSError:
                return self._published
            if written_ns != self._updated_ns:
                self._published, self._updated_ns = self._current(), written_ns
            return self._published

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """The study's own attributes take precedence, so that notes written by users are kept."""
        own = self.inner.get_study_system_attrs(study_id)
        return {**self.published().attributes, **own} if self._is_ours(study_id) else own

    def get_all_studies(self) -> list[Any]:
        """All studies; that of the run has the published overlay."""
        studies = [copy.copy(study) for study in self.inner.get_all_studies()]
        for study in studies:
            if study.study_name == self._name:
                study.system_attrs = {**self.published().attributes, **study.system_attrs}
        return studies

    @property
    def _name(self) -> str:
        return self._folder.study().name

    def _is_ours(self, study_id: int) -> bool:
        return bool(self.inner.get_study_name_from_id(study_id) == self._name)

    def _current(self) -> Published:
        try:
            study_id = self.inner.get_study_id_from_name(self._name)
            numbers = [trial.number for trial in self.inner.get_all_trials(study_id, deepcopy=False)]
            ids = {n: self.inner.get_trial_id_from_study_id_trial_number(study_id, n) for n in numbers}
            return published(RunView.of(self._folder), ids)
        except (StudyError, KeyError):  # the run is just writing its first files
            return self._published


class PublishedArtifacts:
    """A read-only store of the published artifacts."""

    def __init__(self, storage: PublishedStorage) -> None:
        self._storage = storage

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """The content of an artifact."""
        from optuna.artifacts.exceptions import ArtifactNotFound

        try:
            return io.BytesIO(self._storage.published().artifacts[artifact_id])
        except KeyError as error:
            raise ArtifactNotFound("there is no such artifact") from error

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Refused."""
        raise PermissionError("artifacts are generated from the run and cannot be added")

    def remove(self, artifact_id: str) -> None:
        """Does nothing, because artifacts are generated again the next time they are read."""


def dashboard_app(storage: PublishedStorage) -> Any:
    """The dashboard as a WSGI application, without access control."""
    from optuna_dashboard import wsgi

    return wsgi(storage, artifact_store=PublishedArtifacts(storage))


def _study_note(view: RunView) -> str:
    advice = recommendation_lines(view.front, yearly_use(view.study.objective))
    lines = [f"## {view.study.name}", "", *(f"- {line}" for line in (*advice, *view.payback_lines))]
    lines += ["", "How it was done:", "", *(f"- {line}" for line in view.warnings)]
    return "\n".join([*lines, "", "Front members have a note and artifacts (configuration, report)."])


def _member_note(view: RunView, member: FrontMember) -> str:
    grams = f"{readable_grams(member.carbon_g)} +- {readable_grams(member.uncertainty_g)}"
    test = "not tested yet" if member.test is None else f"{member.test:.4f} on test"
    rows = [f"| {stage} | {readable_grams(cost.carbon_g)} |" for stage, cost in member.stages.items()]
    return "\n".join(
        [
            f"**Front member** {view.front.mark_of(member)}",
            "",
            f"- {member.model}: {view.front.score} {member.validation:.4f} +- {member.error:.4f} on validation, {test}",
            f"- {grams}, {view.front.unit}, the mean of {member.repeats or 1} measurements",
            "",
            "| stage | gCO2eq |",
            "|---|---|",
            *rows,
        ]
    )
