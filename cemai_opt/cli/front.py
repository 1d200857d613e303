"""Shows the Pareto front of a run."""

from __future__ import annotations

import click


@click.command()
@click.argument("run")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0.0),
    help="Mark the greenest member within this distance of the best score.  [default: the run's]",
)
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
def command(run: str, tolerance: float | None, form: str) -> None:
    """Show the Pareto front of the run in folder RUN, greenest first."""
    import json
    from pathlib import Path

    from rich.console import Console

    from cemai_opt.core.serialization import to_json
    from cemai_opt.report.tables import front_table, legend
    from cemai_opt.runs import RunFolder
    from cemai_opt.runs.payback import payback_lines
    from cemai_opt.runs.run_folder import csv_text, front_rows

    front = RunFolder(Path(run)).front()
    if tolerance is not None:
        front = front.with_tolerance(tolerance)
    if form == "json":
        click.echo(json.dumps(to_json(front)))
    elif form == "csv":
        click.echo(csv_text(front_rows(front)), nl=False)
    else:
        console = Console(highlight=False)
        console.print(front_table(front))
        lines = payback_lines(front.payback, front.search.carbon_g, tolerance=front.tolerance)
        console.print("\n".join([legend(front), *lines]), markup=False)
