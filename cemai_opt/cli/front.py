"""Shows the Pareto front of a run."""

from __future__ import annotations

import click


@click.command()
@click.argument("run")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
def command(run: str, form: str) -> None:
    """Show the Pareto front of the run in folder RUN, greenest first."""
    import json
    from pathlib import Path

    from rich.console import Console

    from cemai_opt.report import RunFolder
    from cemai_opt.report.documents import front_rows
    from cemai_opt.report.run_folder import csv_text
    from cemai_opt.report.tables import front_table, legend

    document = RunFolder(Path(run)).front()
    if form == "json":
        click.echo(json.dumps(document))
    elif form == "csv":
        click.echo(csv_text(front_rows(document)), nl=False)
    else:
        console = Console(highlight=False)
        console.print(front_table(document))
        console.print(legend(document), markup=False)
