"""Optuna's dashboard on a run, with our figures, notes and artifacts beside what it shows itself.

Nothing is written into the run: what we publish is laid over its storage while it is read.
"""

from __future__ import annotations

import copy
import io
import json
import threading
import uuid
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import optuna
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.study._frozen import FrozenStudy

from cemai_opt.core.errors import StudyError
from cemai_opt.core.units import readable_grams
from cemai_opt.report.html_report import html_report
from cemai_opt.report.payback import payback_lines
from cemai_opt.report.plotly_figures import plotly_figures
from cemai_opt.report.run_folder import FRONT, RunFolder, yaml_text
from cemai_opt.report.run_view import Member, RunView

ARTIFACTS = "dashboard:artifacts:"
"""Where the dashboard looks for artifacts of a trial among the attributes of its study."""


@dataclass(frozen=True)
class Published:
    """What is laid over a study: attributes as the dashboard reads them, and contents of artifacts by their number."""

    attributes: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class _Trial:
    """As much of a trial as a note wants to know."""

    storage: BaseStorage
    study: optuna.Study
    _trial_id: int


@dataclass(frozen=True)
class _Figure:
    """A figure that exists as JSON already."""

    document: Mapping[str, Any]

    def to_json(self) -> str:
        return json.dumps(self.document)


def published(view: RunView, trial_ids: Mapping[int, int]) -> Published:
    """Figures and a note of the study, a note and artifacts (config, report) of each front member.

    `trial_ids`: the storage's own numbers of trials, by ours.
    """
    from optuna_dashboard import save_note, save_plotly_graph_object

    with_nothing = InMemoryStorage()
    study = optuna.create_study(storage=with_nothing, directions=["maximize", "minimize"])
    for name, figure in plotly_figures(view).items():
        save_plotly_graph_object(study, _Figure(figure), graph_object_id=name)
    save_note(study, _study_note(view))
    artifacts: dict[str, bytes] = {}
    metas: dict[str, str] = {}
    report = html_report(view).encode()
    for member in view.members:
        trial_id = trial_ids.get(member["trial"])
        if trial_id is None:
            continue
        save_note(_Trial(with_nothing, study, trial_id), _member_note(view, member))
        config = yaml_text({"config": member["config"], "study": view.study.to_json()}).encode()
        for name, mimetype, content in (("config.yaml", "text/plain", config), ("report.html", "text/html", report)):
            key = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{member['trial']}/{name}"))
            artifacts[key] = content
            meta = {"artifact_id": key, "filename": name, "mimetype": mimetype, "encoding": None}
            metas[f"{ARTIFACTS}{trial_id}:{key}"] = json.dumps(meta)
    return Published({**with_nothing.get_study_system_attrs(study._study_id), **metas}, artifacts)


def _delegated(name: str) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(self._beneath, name)(*args, **kwargs)

    return call


_Delegate: Any = type("_Delegate", (BaseStorage,), {name: _delegated(name) for name in BaseStorage.__abstractmethods__})


class PublishedStorage(_Delegate):  # type: ignore[misc]  # made above
    """A storage that shows what is published, made anew whenever the run has written its front anew."""

    def __init__(self, beneath: BaseStorage, folder: RunFolder) -> None:
        self._beneath, self._folder = beneath, folder
        self._lock = threading.Lock()
        self._made_at: int | None = None
        self._published = Published()

    def published(self) -> Published:
        """What is published now; nothing before the run's first front."""
        with self._lock:
            try:
                written_at = (self._folder.path / FRONT).stat().st_mtime_ns
            except OSError:
                return self._published
            if written_at != self._made_at:
                self._published, self._made_at = self._made(), written_at
            return self._published

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """The study's own attributes win: a note that somebody has written there is kept."""
        own = self._beneath.get_study_system_attrs(study_id)
        return {**self.published().attributes, **own} if self._is_ours(study_id) else own

    def get_all_studies(self) -> list[FrozenStudy]:
        """All studies, ours with what is published."""
        studies = [copy.copy(study) for study in self._beneath.get_all_studies()]
        for study in studies:
            if study.study_name == self._name:
                study.system_attrs = {**self.published().attributes, **study.system_attrs}
        return studies

    @property
    def _name(self) -> str:
        return self._folder.study().name

    def _is_ours(self, study_id: int) -> bool:
        return bool(self._beneath.get_study_name_from_id(study_id) == self._name)

    def _made(self) -> Published:
        try:
            trials = self._beneath.get_all_trials(self._beneath.get_study_id_from_name(self._name), deepcopy=False)
            return published(RunView.of(self._folder), {trial.number: trial._trial_id for trial in trials})
        except (StudyError, KeyError):  # the run is just writing its first files
            return self._published


class PublishedArtifacts:
    """The store of what is published: it can be read, and nothing else."""

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
        raise PermissionError("artifacts are made from the run, none can be added")

    def remove(self, artifact_id: str) -> None:
        """Nothing happens: they are made from the run again at the next look."""


def dashboard_app(storage: PublishedStorage) -> Any:
    """The dashboard as a WSGI application, without any guard."""
    from optuna_dashboard import wsgi

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=UserWarning, module="optuna")  # of importances, at every look at them
    return wsgi(storage, artifact_store=PublishedArtifacts(storage))


def _study_note(view: RunView) -> str:
    lines = [f"## {view.study.name}", "", *(f"- {line}" for line in payback_lines(view.front))]
    lines += ["", "What to know first:", "", *(f"- {line}" for line in view.warnings)]
    return "\n".join([*lines, "", "Front members have a note and artifacts (configuration, report) of their own."])


def _member_note(view: RunView, member: Member) -> str:
    score, test = view.front["score"], member["test"]
    grams = " +- ".join(readable_grams(member[key]) for key in ("carbon_g", "uncertainty_g"))
    rows = [f"| {stage} | {readable_grams(row['carbon_g'])} |" for stage, row in member["stages"].items()]
    return "\n".join(
        [
            f"**Front member** {view.mark_of(member)}",
            "",
            f"- {member['model']}: {score} {member['validation']:.4f} on validation, "
            f"{'not tested yet' if test is None else f'{test:.4f} on test'}",
            f"- {grams}, {view.front['unit']}, the mean of {member['repeats'] or 1} measurements",
            "",
            "| stage | gCO2eq |",
            "|---|---|",
            *rows,
        ]
    )
