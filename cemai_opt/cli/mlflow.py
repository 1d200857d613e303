"""Logs a run to MLflow."""

from __future__ import annotations

import click


@click.command()
@click.argument("run")
@click.option("--uri", metavar="URI", help="MLflow's tracking server or database.  [default: MLFLOW_TRACKING_URI]")
@click.option("--experiment", metavar="NAME", help="Name of the experiment.  [default: the study's name]")
def command(run: str, uri: str | None, experiment: str | None) -> None:
    """Log the run in folder RUN to MLflow: one parent run, one child per front member, energies as metrics."""
    from pathlib import Path

    from cemai_opt.report.mlflow_log import log_run
    from cemai_opt.runs import RunFolder, RunView

    click.echo(log_run(RunView.of(RunFolder(Path(run))), uri, experiment=experiment))
