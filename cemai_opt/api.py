"""The Python API: run a search, read its results, load a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cemai_opt.compose import DEFAULT_STUDY, load_study, prepare, reopen
from cemai_opt.core.result import TrialResult
from cemai_opt.core.study import StudySpec
from cemai_opt.deploy.export import export_model
from cemai_opt.deploy.model_folder import TrainedModel, load_model
from cemai_opt.deploy.picked import pick
from cemai_opt.options import changed, study_name_of
from cemai_opt.report.notebook import Front, run_html
from cemai_opt.runs import FrontMember, RunFolder, RunSummary, RunView
from cemai_opt.search import Events
from cemai_opt.session import Session
from cemai_opt.session.shown import events_of, in_notebook

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Run:
    """A run in its folder, finished or not; its files are read on access."""

    path: Path

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    def _repr_html_(self) -> str:
        return run_html(RunFolder(self.path))

    @property
    def front(self) -> Front:
        """Front members, greenest first. StudyError before the first result."""
        return Front(RunView.of(RunFolder(self.path)))

    @property
    def summary(self) -> RunSummary:
        """What the search spent, on what, on which machine: the contents of `summary.json`."""
        return RunFolder(self.path).summary()

    def export(
        self,
        out: Path | str,
        pick_by: str | int = "knee",
        *,
        with_test_rows: bool | None = None,
        data: str | None = None,
    ) -> TrainedModel:
        """Trains a member ("knee", "best", "within", "greenest" or a trial number), writes its folder and loads it.

        "average" picks the average of several, if there is one. The model is trained on all rows, those of the test
        too, once they have been used; `with_test_rows=False` leaves them out, as None does if the study names them.
        `data` is the current path of the rows, if they were moved. StudyError if there is no such member.
        """
        folder = RunFolder(self.path)
        picked = pick(folder, str(pick_by))
        prepared = reopen(folder, data)
        exported = export_model(
            picked, Path(out), study=prepared.study, rows=prepared.data, with_test_rows=with_test_rows
        )
        return load_model(exported.folder)

    def report(self, out: Path | str | None = None) -> Path:
        """Writes the report to the run's folder or to `out`; returns the path of the page."""
        from cemai_opt.report.html_report import write_report

        return write_report(RunFolder(self.path), Path(out) if out is not None else None)[0]

    def log_to_mlflow(self, tracking_uri: str | None = None, experiment: str | None = None) -> str:
        """Logs the run to MLflow; returns the id of the parent run."""
        from cemai_opt.report.mlflow_log import log_run

        return log_run(RunView.of(RunFolder(self.path)), tracking_uri, experiment=experiment)


def optimize(
    data: pd.DataFrame | Path | str | None = None,
    *,
    out: Path | str | None = None,
    study: StudySpec | str | None = None,
    on_result: Callable[[TrialResult], None] = lambda result: None,
    events: Events | None = None,
    verbose: bool | None = None,
    **options: Any,
) -> Run:
    """Searches for pipelines that score well and emit little carbon; a run in `out` is resumed.

    `data` is a data frame, or a path as on the command line; by default that of the study, and without a study the demo
    runs. `options` are those of the command line with underscores (docs/options.md): `target="wear"`, `group="tool"`,
    `trials=100`, `budget_grams=1.0`. `on_result` is called with each finished trial; `events` receives all events
    instead. `verbose` shows notes and progress, by default in notebooks only; they are always logged under "cemai_opt".
    StudyError if an option or the data is invalid; TrialError if no pipeline was complete.

    >>> run = optimize(frame, target="wear", group="tool", trials=60)      # doctest: +SKIP
    >>> run.front.to_frame(), run.export("model").predict(new_rows)        # doctest: +SKIP
    """
    name = study_name_of(str(data)) if isinstance(data, (str, Path)) else "frame"
    spec = study if isinstance(study, StudySpec) else load_study(study) if study else None
    if spec is None:
        spec = load_study(DEFAULT_STUDY) if data is None else StudySpec(name=name)
    folder = RunFolder(Path(out) if out is not None else Path("runs") / spec.name)
    if data is not None:
        options["data"] = str(data if isinstance(data, (str, Path)) else folder.keep_rows(data))
    prepared = prepare(changed(spec, options))
    is_shown = in_notebook() if verbose is None else verbose
    with events_of(prepared, on_result, is_shown=is_shown) as shown:
        Session(prepared, folder, events=events or shown, with_audit=False).run()
    return Run(folder.path)


def load_run(path: Path | str) -> Run:
    """The run in a folder. StudyError if there is none."""
    RunFolder(Path(path)).study()
    return Run(Path(path))


__all__ = ["Front", "FrontMember", "Run", "TrainedModel", "load_model", "load_run", "optimize"]
