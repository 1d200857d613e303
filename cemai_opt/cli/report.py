"""Writes an HTML report on a run, and its front as figures for papers."""

from __future__ import annotations

import click


@click.command()
@click.argument("run")
@click.option("--out", metavar="DIR", help="Output folder.  [default: the folder of the run]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(run: str, out: str | None, as_json: bool) -> None:
    """Write report.html, front.png and front.svg for the run in folder RUN, finished or not.

    The page is self-contained: it needs no network and no other file.
    """
    import json
    from pathlib import Path

    from cemai_opt.report.html_report import write_report
    from cemai_opt.runs import RunFolder

    written = write_report(RunFolder(Path(run)), Path(out) if out else None)
    click.echo(json.dumps({"files": [str(path) for path in written]}) if as_json else "\n".join(map(str, written)))
