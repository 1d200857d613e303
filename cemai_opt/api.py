"""The product from Python: search, look at a run, load a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cemai_opt.compose import DEFAULT_STUDY, load_study, settle
from cemai_opt.core.result import TrialResult
from cemai_opt.core.spec import StudySpec
from cemai_opt.export import export_model, pick
from cemai_opt.options import changed, study_of_file
from cemai_opt.report import RunFolder
from cemai_opt.report.model_folder import TrainedModel, load_model
from cemai_opt.report.notebook import Front
from cemai_opt.report.run_folder import DATA
from cemai_opt.report.run_view import RunView
from cemai_opt.session import Session

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Run:
    """A run in its folder, finished or not: what there is of it is read whenever it is asked for."""

    path: Path

    @property
    def front(self) -> Front:
        """Front members, greenest first. StudyError before the first result."""
        return Front(RunView.of(RunFolder(self.path)))

    @property
    def summary(self) -> Mapping[str, Any]:
        """What the search spent, on what, on which machine: the keys of `summary.json`."""
        return RunFolder(self.path).summary()

    def export(self, out: Path | str, pick_by: str | int = "knee", data: str | None = None) -> TrainedModel:
        """Trains a member ("knee", "best", "within", "greenest" or a trial's number), writes its folder, loads it.

        `data` says where the rows lie now, if they were moved. StudyError where there is no such member.
        """
        return load_model(export_model(pick(RunFolder(self.path), str(pick_by)), Path(out), data).folder)

    def report(self, out: Path | str | None = None) -> Path:
        """Writes the report, into the run's folder unless another is named: the path of the page."""
        from cemai_opt.report.html_report import write_report

        return write_report(RunFolder(self.path), Path(out) if out is not None else None)[0]

    def log_to_mlflow(self, tracking_uri: str | None = None, experiment: str | None = None) -> str:
        """Logs the run into MLflow; the id of the parent run."""
        from cemai_opt.report.mlflow_log import log_run

        return log_run(RunView.of(RunFolder(self.path)), tracking_uri, experiment)


def optimize(
    data: pd.DataFrame | Path | str | None = None,
    *,
    out: Path | str | None = None,
    study: StudySpec | str | None = None,
    on_result: Callable[[TrialResult], None] = lambda result: None,
    **options: Any,
) -> Run:
    """Searches for pipelines that score well and cost little carbon; a run in `out` goes on.

    `data` is a frame, or a path as on the command line; without it the study says where the rows are, and without a
    study the demo runs. `options` are those of the command line, with underscores: `target="wear"`, `group="tool"`,
    `trials=100`, `budget_grams=1.0`. StudyError says what is wrong with one of them; TrialError that no pipeline was
    complete.

    >>> run = optimize(frame, target="wear", group="tool", trials=60)      # doctest: +SKIP
    >>> run.front.to_frame(), run.export("model").predict(new_rows)        # doctest: +SKIP
    """
    name = study_of_file(str(data)) if isinstance(data, (str, Path)) else "frame"
    spec = study if isinstance(study, StudySpec) else load_study(study) if study else None
    if spec is None:
        spec = load_study(DEFAULT_STUDY) if data is None else StudySpec(name=name)
    folder = RunFolder(Path(out) if out is not None else Path("runs") / spec.name)
    if data is not None:
        options["data"] = str(data if isinstance(data, (str, Path)) else folder.keep_rows(data))
    Session(settle(changed(spec, options)), folder, lambda result, state: on_result(result), with_audit=False).run()
    return Run(folder.path)


def load_run(path: Path | str) -> Run:
    """The run in a folder. StudyError where there is none."""
    RunFolder(Path(path)).study()
    return Run(Path(path))


__all__ = ["DATA", "Front", "Run", "TrainedModel", "load_model", "load_run", "optimize"]
