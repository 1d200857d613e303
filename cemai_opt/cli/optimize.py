"""Searches for the Pareto front of score and grams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cemai_opt.cli._commands import LongCommand
from cemai_opt.cli._options import data_options, search_options
from cemai_opt.cli._verbosity import is_quiet, notes_console
from cemai_opt.core.scores import maximised

if TYPE_CHECKING:
    from pathlib import Path

    from cemai_opt.carbon import LowCarbonGate
    from cemai_opt.compose import PreparedStudy
    from cemai_opt.runs import RunFolder, RunRecord

REPORT_J, MAX_REPORT_SHARE = 8.0, 0.1
"""Joules of writing a report, and the largest share of a budget that is set aside for it."""


@click.command(cls=LongCommand)
@click.argument("study", required=False)
@data_options
@search_options
@click.option("--out", metavar="DIR", help="Folder of results; an existing run is resumed.  [default: runs/STUDY]")
@click.option("--open", "open_report", is_flag=True, help="Open report.html in a browser at the end.")
@click.option("--no-audit", is_flag=True, help="Skip CodeCarbon's independent audit of the study.")
@click.option(
    "--record",
    "trace",
    metavar="FILE",
    help="Record every meter reading; CEMAI_OPT_TRACE=FILE --meter replay replays them.",
)
@click.option(
    "--wait-for-low-carbon",
    "forecast_from",
    metavar="FILE|cmd:...",
    help="Run pipelines in the hours with the least carbon by a forecast: CSV of time,g_per_kwh.",
)
@click.option(
    "--deadline",
    type=click.FloatRange(min=0.0, min_open=True),
    default=24.0,
    metavar="HOURS",
    help="Hours within which it waits.  [default: 24]",
)
@click.option("--no-report", is_flag=True, help="Skip report.html at the end.")
@click.option("--dry-run", is_flag=True, help="Say what the run will take, and run nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print front.json instead of the table.")
def command(
    study: str | None,
    out: str | None,
    no_audit: bool,
    no_report: bool,
    open_report: bool,
    trace: str | None,
    forecast_from: str | None,
    deadline: float,
    dry_run: bool,
    as_json: bool,
    data_root: str | None,
    **options: Any,
) -> None:
    """Search for the Pareto front of (score, gCO2eq).

    STUDY is a study file, or the name of an included study (demo, piston_rod, broaching, bosch_cnc). Without STUDY and
    --data, the demo runs. The search never uses the test rows.
    """
    import json
    import os
    import signal
    import sys
    from pathlib import Path

    from cemai_opt.cli._options import data_root_of
    from cemai_opt.compose import prepare
    from cemai_opt.core.serialization import to_json
    from cemai_opt.meters import RECORD
    from cemai_opt.options import changed
    from cemai_opt.runs import RunFolder
    from cemai_opt.search import INTERRUPTED
    from cemai_opt.session import Session, forecast_of
    from cemai_opt.session.progress import ProgressEvents

    if trace and not dry_run:
        os.environ[RECORD] = str(Path(trace).resolve())
    options["storage"], password = _storage(options["storage"])
    spec = changed(_study(study, options["data"]), options)
    prepared = prepare(spec, data_root=data_root_of(data_root), whole_process=True)
    folder = RunFolder(Path(out) if out else Path("runs") / prepared.study.name)
    console = notes_console()
    for note in prepared.notes:
        console.print(note, markup=False)
    if dry_run:
        forecast = forecast_of(prepared)
        click.echo(json.dumps(to_json(forecast)) if as_json else forecast.text)
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # treated as Ctrl-C
    search = prepared.study.search
    with ProgressEvents(maximised(prepared.study.score), budget_g=search.budget_g, quiet=is_quiet()) as events:
        set_aside_j = 0.0 if no_report else report_j(prepared.study.budget_j)
        session = Session(
            prepared,
            folder,
            events=events,
            with_audit=not no_audit,
            password=password,
            set_aside_j=set_aside_j,
            gate=_gate(forecast_from, hours=deadline),
        )
        record = session.run()
    left_j = prepared.study.budget_j - _spent_j(record)
    page, reported = (None, "") if no_report else _report(prepared, folder, left_j=left_j)
    if as_json:
        click.echo(json.dumps(to_json(record.front)))
    else:
        _show(record)
        where = folder.path
        export = f"export {where} --pick knee --out knee" if record.front.knee is not None else f"front {where}"
        click.echo(f"results in {where}{reported}; next: cemai-opt {export}")
    if open_report and page is not None:
        click.launch(str(page.resolve()))
    if record.ended == INTERRUPTED:
        sys.exit(130)


def _study(study: str | None, data: str | None) -> Any:
    """The given study, a new one for the user's own data, or the demo."""
    from cemai_opt.compose import DEFAULT_STUDY, load_study
    from cemai_opt.core.study import StudySpec
    from cemai_opt.options import study_name_of

    if study is None and data:
        return StudySpec(name=study_name_of(data))
    return load_study(study or DEFAULT_STUDY)


def _gate(forecast: str | None, *, hours: float) -> LowCarbonGate | None:
    """What opens in the hours with the least carbon, if they are to be waited for."""
    if forecast is None:
        return None
    from cemai_opt.carbon import LowCarbonGate, read_forecast

    return LowCarbonGate(read_forecast(forecast), deadline_s=3600.0 * hours)


def _storage(address: str | None) -> tuple[str | None, str | None]:
    """The address of a database without its password, and the password."""
    if not address:
        return address, None
    from cemai_opt.search.storage.database import without_password

    return without_password(address)


def report_j(budget_j: float) -> float:
    """Joules of a budget to set aside for the report; 0 if it is too small for one."""
    return REPORT_J if REPORT_J <= MAX_REPORT_SHARE * budget_j < float("inf") else 0.0


def _spent_j(record: RunRecord) -> float:
    return sum(entry.energy_j for entry in record.spent)


def _report(prepared: PreparedStudy, folder: RunFolder, *, left_j: float) -> tuple[Path | None, str]:
    """Writes the report; its path and a message with its cost, or None and the reason why there is none."""
    if left_j < REPORT_J:
        return None, f" (no report: the budget is used up; `cemai-opt report {folder.path}` writes it)"

    import math

    from cemai_opt.core.errors import StudyError
    from cemai_opt.core.units import readable_grams
    from cemai_opt.report.html_report import HTML, write_report

    before_j = math.fsum(meter.peek_j() for meter in prepared.meters)
    try:
        page = write_report(folder)[0]
    except StudyError as error:
        return None, f" (no report: {error})"
    except Exception as error:  # the run is complete, and its front has to be shown
        return None, f" (no report: {type(error).__name__}: {error})"
    cost_j = math.fsum(meter.peek_j() for meter in prepared.meters) - before_j
    return page, f", see {HTML} there (writing it: {readable_grams(prepared.study.carbon.grams(cost_j))} more)"


def _show(record: RunRecord) -> None:
    from rich.console import Console

    from cemai_opt.report.tables import front_table, ledger_line, legend
    from cemai_opt.runs.payback import payback_lines
    from cemai_opt.runs.recommendation import recommendation_lines, yearly_use

    console, front = Console(highlight=False), record.front
    console.print(front_table(front))
    console.print(legend(front), markup=False)
    search = front.search
    console.print(
        f"{search.trials} trials ({record.ended}): {search.complete} complete, {search.pruned} pruned, "
        f"{search.failed} failed; {search.curve_candidates} added from learning curves; "
        f"hypervolume {search.hypervolume:.3f}",
        markup=False,
    )
    console.print(ledger_line(record), markup=False)
    for line in payback_lines(front.payback, search.carbon_g, tolerance=front.tolerance):
        console.print(line, markup=False)
    console.print()
    for line in recommendation_lines(front, yearly_use(record.study.objective)):
        console.print(line, markup=False)
    console.print()
