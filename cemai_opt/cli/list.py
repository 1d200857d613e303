"""Lists the runs in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from cemai_opt.runs.overview import RunOverview


DONE = "trials are done"
"""How the state of a run ends that has used up its trials."""


@click.command()
@click.argument("folder", default="runs")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(folder: str, as_json: bool) -> None:
    """List the runs in FOLDER (default: runs), newest first, with what each found and spent."""
    import json
    from pathlib import Path

    from rich.console import Console

    from cemai_opt.core.serialization import to_json
    from cemai_opt.runs.overview import overviews_in

    found = overviews_in(Path(folder))
    if as_json:
        click.echo(json.dumps([to_json(run) for run in found]))
    elif found:
        Console(highlight=False).print(_table(found))
    else:
        click.echo(f"no runs in {folder}")


def _table(runs: list[RunOverview]) -> object:
    from rich.table import Table

    from cemai_opt.core.units import readable_grams

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("run", "changed", "trials", "score", "recommended", "gCO2eq", "search", "state"):
        justify: Literal["left", "right"] = "right" if heading in {"trials", "gCO2eq", "search"} else "left"
        table.add_column(heading, justify=justify, no_wrap=heading != "state")
    for run in runs:
        table.add_row(
            run.name,
            f"{run.changed:%m-%d %H:%M}",
            str(run.trials),
            "" if run.validation is None else f"{run.score} {run.validation:.3f}",
            run.model or "",
            "" if run.carbon_g is None else readable_grams(run.carbon_g),
            "" if run.search_g is None else readable_grams(run.search_g),
            "done" if run.state.endswith(DONE) else run.state,
        )
    return table
