"""Runs one pipeline from a configuration file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cemai_opt.cli._commands import LongCommand
from cemai_opt.cli._options import data_options
from cemai_opt.cli._verbosity import notes_console

if TYPE_CHECKING:
    from cemai_opt.compose import PreparedStudy
    from cemai_opt.core.average import AverageConfig
    from cemai_opt.core.plan import Config
    from cemai_opt.runs.single_run import SingleRun


@click.command(cls=LongCommand)
@click.argument("config")
@data_options
@click.option("--repeat", type=click.IntRange(min=1), metavar="N", help="Measure N times.  [default: 1]")
@click.option("--label", default="", metavar="TEXT", help="Name of this machine in a record.")
@click.option("--out", metavar="FILE", help="Write a record (JSON) that `compare` joins with those of other machines.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    config: str,
    repeat: int | None,
    label: str,
    out: str | None,
    as_json: bool,
    data_root: str | None,
    **options: Any,
) -> None:
    """Run the pipeline or the average in the file CONFIG, on its own data or on other data.

    It is trained on the training and validation rows, and scored on the test rows. CONFIG comes from `export`.
    """
    import json
    from pathlib import Path

    from cemai_opt.cli._options import data_root_of
    from cemai_opt.compose import check_config, prepare
    from cemai_opt.core.average import AverageConfig
    from cemai_opt.core.config_file import read_config_file
    from cemai_opt.core.errors import TrialError
    from cemai_opt.core.serialization import to_json
    from cemai_opt.open_choices import ORDERED_SPACE
    from cemai_opt.options import changed
    from cemai_opt.runs.single_run import SingleRun
    from cemai_opt.session import run_average, run_config

    study, chosen = read_config_file(Path(config))
    ignored = [f"{config}: {key} is not used; {option} gives one" for key, option in study.bound_to_machine.items()]
    study = study.without_bound().model_copy(update={"space": ORDERED_SPACE})  # nothing is searched
    prepared = prepare(changed(study, options), data_root=data_root_of(data_root))
    for pipeline in [part.config for part in chosen.parts] if isinstance(chosen, AverageConfig) else [chosen]:
        check_config(pipeline, prepared.study.task)
    if repeat is not None or out is not None:
        _measure(prepared, chosen, repeat=repeat or 1, label=label, out=out, as_json=as_json)
        return
    result = run_average(prepared, chosen) if isinstance(chosen, AverageConfig) else run_config(prepared, chosen)
    if not result.is_complete:
        raise TrialError(f"{config}: {result.reason}", "fix the configuration, or choose another")
    run = SingleRun.of(prepared.study, result)
    if as_json:
        click.echo(json.dumps(to_json(run)))
    else:
        console = notes_console()
        for note in (*ignored, *prepared.notes, *result.notes):
            console.print(note, markup=False)
        _show(run)


def _measure(
    prepared: PreparedStudy,
    chosen: Config | AverageConfig,
    *,
    repeat: int,
    label: str,
    out: str | None,
    as_json: bool,
) -> None:
    """Measures the pipeline several times, shows it as a table of one row, and writes the record."""
    import json
    from pathlib import Path

    from rich.console import Console

    from cemai_opt.cli.table import table_of
    from cemai_opt.core.average import AverageConfig
    from cemai_opt.core.errors import StudyError, TrialError
    from cemai_opt.core.serialization import to_json
    from cemai_opt.runs.measured import MeasuredRecord
    from cemai_opt.session import measured_pipelines

    if isinstance(chosen, AverageConfig):
        raise StudyError("an average cannot be measured repeatedly", "measure its parts")
    console = notes_console()
    for pipelines in measured_pipelines(
        prepared,
        {chosen.model: chosen},
        repeats=repeat,
        announce=lambda text: console.print(text, markup=False),
    ):
        record = MeasuredRecord.of(prepared.study, pipelines, data=prepared.data.digest, label=label)
        if pipelines[0].reason:
            raise TrialError(pipelines[0].reason, "fix the configuration, or choose another")
        if out is not None:
            record.write(Path(out))
    if as_json:
        click.echo(json.dumps(to_json(record)))
    else:
        Console(highlight=False).print(table_of(record).text())


def _show(run: SingleRun) -> None:
    from rich.console import Console
    from rich.table import Table

    from cemai_opt.core.units import readable_grams

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("stage", "J", "gCO2eq", "+-", "s"):
        table.add_column(heading, justify="left" if heading == "stage" else "right")
    for name, cost in {**run.stages, "total": run.total}.items():
        grams = (readable_grams(cost.carbon_g), readable_grams(cost.uncertainty_g))
        table.add_row(name, f"{cost.energy_j:.4g}", *grams, f"{cost.duration_s:.3f}")
    console.print(table)
    console.print(
        f"{run.model}: {run.score} {run.test:.4f} on test, "
        f"{readable_grams(run.carbon_g)} +- {readable_grams(run.uncertainty_g)} CO2eq"
    )
    console.print(f"energy measured by {run.source}", markup=False)
