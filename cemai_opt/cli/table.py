"""Shows the emissions of pipelines by stage, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cemai_opt.cli._commands import LongCommand
from cemai_opt.cli._options import data_options
from cemai_opt.cli._verbosity import notes_console

if TYPE_CHECKING:
    from cemai_opt.report.emission_table import EmissionTable
    from cemai_opt.runs.measured import MeasuredRecord

RECORD_FILE = "record.json"


@click.command(cls=LongCommand)
@click.argument("source")
@data_options
@click.option("--repeat", type=click.IntRange(min=1), metavar="N", help="Measure N times.  [default: the study's]")
@click.option("--label", default="", metavar="TEXT", help="Name of this machine.  [default: CPU, device, threads]")
@click.option("--out", metavar="DIR", help="Folder of record, CSV, LaTeX and figure.  [default: tables/STUDY]")
@click.option("--format", "form", type=click.Choice(["table", "csv", "latex", "json"]), default="table")
def command(
    source: str, repeat: int | None, label: str, out: str | None, form: str, data_root: str | None, **options: Any
) -> None:
    """Show the emissions of pipelines by stage, with totals and scores.

    SOURCE is a study with a table (rq1_piston_rod, rq1_broaching, rq1_bosch_cnc, or a file), whose models are measured
    now, without and with feature engineering; or a record of such measurements; or the folder of a run.
    """
    import json

    from rich.console import Console

    from cemai_opt.core.errors import StudyError
    from cemai_opt.core.serialization import to_json
    from cemai_opt.runs import RunFolder
    from cemai_opt.runs.measured import MeasuredRecord

    path, folder = Path(source), None if out is None else Path(out)
    if path.is_dir() and (path / RECORD_FILE).is_file():
        path = path / RECORD_FILE
    if path.is_dir():
        record = MeasuredRecord.of_run(RunFolder(path))
    elif path.suffix == ".json":
        record = MeasuredRecord.read(path)
    else:
        record, folder = _measured(source, repeat, label=label, folder=folder, data_root=data_root, options=options)
    table = table_of(record)
    if folder is not None:
        _write(record, table, folder=folder)
    if form == "json":
        click.echo(json.dumps(to_json(record)))
    elif form == "table":
        Console(highlight=False).print(table.text())
    else:
        click.echo(table.csv() if form == "csv" else table.latex(), nl=False)
    if folder is not None:
        click.echo(f"written to {folder}", err=True)
    if not any(pipeline.costs for pipeline in record.pipelines):
        raise StudyError("no pipeline could be measured", "the table has the reasons")


def _measured(
    source: str, repeat: int | None, *, label: str, folder: Path | None, data_root: str | None, options: dict[str, Any]
) -> tuple[MeasuredRecord, Path]:
    """The pipelines of a study's table, measured now; the record is written after each run."""

    from cemai_opt.cli._options import data_root_of
    from cemai_opt.compose import load_study, prepare
    from cemai_opt.core.table_spec import TableSpec
    from cemai_opt.open_choices import ORDERED_SPACE
    from cemai_opt.options import changed
    from cemai_opt.runs.measured import MeasuredRecord
    from cemai_opt.session import measured_pipelines, table_configs

    spec = changed(load_study(source), options)
    rows = spec.table or TableSpec()
    prepared = prepare(spec.model_copy(update={"space": ORDERED_SPACE}), data_root=data_root_of(data_root))
    folder = folder or Path("tables") / spec.name
    _check_free(folder)
    console = notes_console()
    for note in prepared.notes:
        console.print(note, markup=False)
    configs = table_configs(rows, prepared.study.task)
    for pipelines in measured_pipelines(
        prepared, configs, repeats=repeat or rows.repeats, announce=lambda text: console.print(text, markup=False)
    ):
        record = MeasuredRecord.of(prepared.study, pipelines, data=prepared.data.digest, label=label)
        record.write(folder / RECORD_FILE)
    return record, folder


def _check_free(folder: Path) -> None:
    """StudyError unless the folder is new, empty, or holds an earlier record."""
    from cemai_opt.core.errors import StudyError
    from cemai_opt.runs.measured import MeasuredRecord

    if (folder / RECORD_FILE).exists():
        MeasuredRecord.read(folder / RECORD_FILE)
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StudyError(f"{folder} is no empty folder, and holds no {RECORD_FILE}", "choose another --out")


def table_of(record: MeasuredRecord) -> EmissionTable:
    """The table of a record, with a note on how it was measured."""
    from cemai_opt.core.result import NOISY_LOAD
    from cemai_opt.report.emission_table import EmissionTable
    from cemai_opt.runs.measured import EmissionRow

    n_times = sorted({len(pipeline.costs) for pipeline in record.pipelines if pipeline.costs}) or [0]
    times = f"{n_times[0]} to {n_times[-1]} runs" if len(n_times) > 1 else f"{n_times[0]} run{'s' * (n_times != [1])}"
    notes = [
        f"{record.score} on test rows; mean of {times} with its standard uncertainty; {record.label}, "
        f"{record.carbon.intensity_g_per_kwh:g} g/kWh, measured by {', '.join(record.sources)}"
    ]
    noisy = [pipeline.label for pipeline in record.pipelines if pipeline.foreign_load > NOISY_LOAD]
    if noisy:
        notes.append(
            f"measured while other processes used more than {NOISY_LOAD:.0%} of the machine: {', '.join(noisy)}"
        )
    return EmissionTable(
        title=record.case,
        score=record.score,
        rows=[EmissionRow.of(pipeline, record.carbon) for pipeline in record.pipelines],
        notes=tuple(notes),
    )


def _write(record: MeasuredRecord, table: EmissionTable, *, folder: Path) -> None:
    """Writes the record, and the table in all of its forms."""
    import io

    from rich.console import Console

    from cemai_opt.core.registry import need
    from cemai_opt.report.emission_figure import emission_figure
    from cemai_opt.runs.run_folder import write_file

    _check_free(folder)
    need("matplotlib")
    record.write(folder / RECORD_FILE)
    console = Console(file=io.StringIO(), width=160, highlight=False)
    console.print(table.text())
    figure = emission_figure(table)
    for name, content in (
        ("table.txt", console.file.getvalue()),  # type: ignore[attr-defined]  # the StringIO above
        ("table.csv", table.csv()),
        ("table.tex", table.latex()),
        ("table.png", figure.file("png")),
        ("table.svg", figure.file("svg")),
    ):
        write_file(folder / name, content)
