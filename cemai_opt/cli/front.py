"""Shows the Pareto front of a run."""

from __future__ import annotations

import click


@click.command()
@click.argument("run")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0.0),
    help="Mark the greenest within this of the best.  [default: the run's]",
)
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
def command(run: str, tolerance: float | None, form: str) -> None:
    """Show the Pareto front of the run in folder RUN, greenest first."""
    import json
    from pathlib import Path

    from rich.console import Console

    from cemai_opt.report import RunFolder
    from cemai_opt.report.documents import front_rows, with_tolerance
    from cemai_opt.report.payback import payback_lines
    from cemai_opt.report.run_folder import csv_text
    from cemai_opt.report.tables import front_table, legend

    document = RunFolder(Path(run)).front()
    if tolerance is not None:
        document = with_tolerance(document, tolerance)
    if form == "json":
        click.echo(json.dumps(document))
    elif form == "csv":
        click.echo(csv_text(front_rows(document)), nl=False)
    else:
        console = Console(highlight=False)
        console.print(front_table(document))
        console.print("\n".join([legend(document), *payback_lines(document)]), markup=False)
