"""Logs a run into MLflow."""

from __future__ import annotations

import click


@click.command()
@click.argument("run")
@click.option("--uri", metavar="URI", help="MLflow's tracking server or database.  [default: MLFLOW_TRACKING_URI]")
@click.option("--experiment", metavar="NAME", help="Which experiment.  [default: the study's name]")
def command(run: str, uri: str | None, experiment: str | None) -> None:
    """Log the run in folder RUN into MLflow: one parent run, a child for each front member, energies as metrics."""
    from pathlib import Path

    from cemai_opt.report import RunFolder
    from cemai_opt.report.mlflow_log import log_run
    from cemai_opt.report.run_view import RunView

    click.echo(log_run(RunView.of(RunFolder(Path(run))), uri, experiment))
