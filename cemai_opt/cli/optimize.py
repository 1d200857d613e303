"""Searches for the Pareto front of score and grams."""

from __future__ import annotations

from typing import Any

import click

from cemai_opt.cli._options import data_options, search_options


@click.command()
@click.argument("study", required=False)
@data_options
@search_options
@click.option("--out", metavar="DIR", help="Where results go; a run there goes on.  [default: runs/STUDY]")
@click.option("--no-audit", is_flag=True, help="Do without CodeCarbon's independent count around the study.")
@click.option(
    "--record",
    "trace",
    metavar="FILE",
    help="Keep every meter reading; CEMAI_OPT_TRACE=FILE --meter replay plays them.",
)
@click.option("--no-report", is_flag=True, help="Do without report.html at the end.")
@click.option("--json", "as_json", is_flag=True, help="Print front.json instead of the table.")
def command(
    study: str | None,
    out: str | None,
    no_audit: bool,
    no_report: bool,
    trace: str | None,
    as_json: bool,
    data_root: str | None,
    **options: Any,
) -> None:
    """Search for the Pareto front of (score, gCO2eq).

    STUDY is a study file, or the name of one that comes with the product (demo, piston_rod, broaching, bosch_cnc).
    Without it and without --data, the demo runs. The search never sees the test rows.
    """
    import json
    import os
    import signal
    import sys
    from pathlib import Path

    from rich.console import Console

    from cemai_opt import compose
    from cemai_opt.cli import _options
    from cemai_opt.cli._progress import Progress
    from cemai_opt.core.spec import StudySpec
    from cemai_opt.core.units import readable_grams
    from cemai_opt.meters import RECORD
    from cemai_opt.options import changed, study_of_file
    from cemai_opt.report import RunFolder, front_document
    from cemai_opt.search import INTERRUPTED, without_password
    from cemai_opt.session import Session

    _options.use_data_root(data_root)
    if trace:
        os.environ[RECORD] = str(Path(trace).resolve())
    password = None
    if options["storage"]:
        options["storage"], password = without_password(options["storage"])
    if study is None and options["data"]:
        spec = StudySpec(name=study_of_file(options["data"]))
    else:
        spec = compose.load_study(study or compose.DEFAULT_STUDY)
    settled = compose.settle(changed(spec, options), whole_process=True)
    folder = RunFolder(Path(out) if out else Path("runs") / settled.study.name)
    quiet = Console(stderr=True, highlight=False)
    for note in settled.notes:
        quiet.print(note, markup=False)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # told to stop politely: as Ctrl-C
    with Progress(settled.study.score) as progress:
        record = Session(settled, folder, progress.trial, progress.phase, not no_audit, password).run()
    document = front_document(record)
    reported = "" if no_report else _report(settled, folder, readable_grams)
    if as_json:
        click.echo(json.dumps(document))
    else:
        _show(document, record, readable_grams)
        where = folder.path
        click.echo(f"results in {where}{reported}; next: cemai-opt export {where} --pick knee --out knee")
    if record.ended == INTERRUPTED:
        sys.exit(130)


def _report(settled: Any, folder: Any, grams: Any) -> str:
    """Writes the report, and says what that has cost; or what is missing for it."""
    import math

    from cemai_opt.core.errors import StudyError
    from cemai_opt.report.html_report import HTML, write_report

    before_j = math.fsum(meter.peek_j() for meter in settled.meters)
    try:
        write_report(folder)
    except StudyError as error:
        return f" (no report: {error})"
    cost_j = math.fsum(meter.peek_j() for meter in settled.meters) - before_j
    return f", read {HTML} there (writing it: {grams(settled.study.carbon.grams(cost_j))} more)"


def _show(document: Any, record: Any, grams: Any) -> None:
    from rich.console import Console

    from cemai_opt.report.payback import payback_lines
    from cemai_opt.report.tables import front_table, ledger_line, legend

    console = Console(highlight=False)
    console.print(front_table(document))
    console.print(legend(document), markup=False)
    search = document["search"]
    console.print(
        f"{search['trials']} trials ({record.ended}): {search['complete']} complete, {search['pruned']} ended early, "
        f"{search['failed']} failed; {search['harvested']} harvested; hypervolume {search['hypervolume']:.3f}",
        markup=False,
    )
    console.print(ledger_line(record, grams), markup=False)
    for line in payback_lines(document):
        console.print(line, markup=False)
