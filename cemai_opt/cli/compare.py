"""Compares measurements of the same pipelines on several machines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cemai_opt.runs.measured import MeasuredRecord

WHAT_IF = "FRA,DEU,world"
"""Places whose carbon intensities differ by an order of magnitude."""


@click.command()
@click.argument("records", nargs=-1, required=True)
@click.option(
    "--what-if",
    default=WHAT_IF,
    show_default=True,
    metavar="A,B",
    help="Carbon intensities: countries (ISO3), world, or g/kWh; empty for none.",
)
@click.option("--format", "form", type=click.Choice(["table", "csv", "latex"]), default="table", show_default=True)
def command(records: tuple[str, ...], what_if: str, form: str) -> None:
    """Compare the same pipelines on several machines: grams, ratios, and grams at other carbon intensities.

    RECORDS are files or folders that `table` and `run --out` wrote on each machine, or folders of runs. Nothing is
    measured: joules are stored.
    """
    from rich.console import Console

    from cemai_opt.report.hardware_table import HardwareTable

    table = HardwareTable.of([_record(Path(record)) for record in records], _intensities(what_if))
    if form == "table":
        Console(highlight=False).print(table.text())
    else:
        click.echo(table.csv() if form == "csv" else table.latex(), nl=False)


def _record(path: Path) -> MeasuredRecord:
    from cemai_opt.cli.table import RECORD_FILE
    from cemai_opt.runs import RunFolder
    from cemai_opt.runs.measured import MeasuredRecord

    if path.is_dir() and (path / RECORD_FILE).is_file():
        path = path / RECORD_FILE
    return MeasuredRecord.of_run(RunFolder(path)) if path.is_dir() else MeasuredRecord.read(path)


def _intensities(text: str) -> dict[str, float]:
    """Grams per kWh by name. StudyError if one is no number and no country."""
    from cemai_opt.carbon.intensity import WORLD_G_PER_KWH, national_intensity
    from cemai_opt.core.units import checked_intensity

    found = {}
    for name in filter(None, (part.strip() for part in text.split(","))):
        try:
            found[name] = checked_intensity(float(name))
        except ValueError:
            found[name] = WORLD_G_PER_KWH if name.lower() == "world" else national_intensity(name)[0]
    return found
