"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def data_options(command: F) -> F:
    """Options that say where rows come from and what is to be predicted."""
    return _with(
        command,
        click.option(
            "--data",
            metavar="PATH",
            help="CSV or Parquet file (gzip too), or a folder: one file = one group.",
        ),
        click.option("--target", metavar="COL", help="Column to predict."),
        click.option(
            "--task",
            type=click.Choice(["regression", "classification"]),
            help="Guessed, and said, if left out.",
        ),
        click.option("--group", metavar="COL", help="Column that tells units, tools or experiments apart."),
        click.option("--time", metavar="COL", help="Column that orders rows; it is no input."),
        click.option("--test", metavar="PATH", help="File or folder with the test rows."),
        click.option("--test-groups", metavar="A,B", callback=_names, help="Groups that are the test rows."),
        click.option("--ignore", metavar="A,B", callback=_names, help="Columns to leave out."),
        click.option("--missing", type=float, metavar="VALUE", help='A number that means "no value", such as -200.'),
        click.option("--clip-target", type=float, metavar="MAX", help="Cap the target, as for remaining useful life."),
        click.option("--positive", metavar="CLASS", help="Of two classes the one to look for.  [default: the rarer]"),
        click.option("--horizon", type=int, metavar="H", help="Predict the target H rows later.  [default: 0]"),
        click.option(
            "--split",
            type=click.Choice(["group", "time", "rows"]),
            help="How rows are parted: whole groups, time order, or shuffled rows (leaks).",
        ),
        click.option("--folds", type=int, metavar="K", help="Validation folds; 1 is one holdout."),
        click.option("--data-root", metavar="DIR", help="Where relative data paths start.  [env: CEMAI_OPT_DATA]"),
        click.option("--country", metavar="ISO3", help="Carbon intensity of a country, such as NOR."),
        click.option("--cloud", metavar="PROVIDER/REGION", help="Carbon intensity of a cloud region."),
        click.option(
            "--intensity",
            metavar="G_PER_KWH|CSV|cmd:...",
            help="Carbon intensity: a number; or, over time, a file of time,g_per_kwh or a command that prints one.",
        ),
        click.option("--embodied-kg", type=float, metavar="KG", help="CO2eq of making the machine, for the footprint."),
        click.option(
            "--lifetime-years", type=float, metavar="YEARS", help="Over how long it is shared out.  [default: 4]"
        ),
        click.option(
            "--pue",
            type=float,
            metavar="FACTOR",
            help="Power usage effectiveness of the building.  [default: 1]",
        ),
        click.option("--meter", metavar="NAME", help="Source of CPU energy.  [default: the best readable]"),
        click.option("--score", metavar="NAME", help="r2, f1, f1_macro, balanced_accuracy or average_precision."),
        click.option("--seed", type=int, help="The same seed scores a pipeline the same.  [default: 0]"),
        click.option("--threads", type=int, metavar="N", help="Threads of one trial.  [default: 1]"),
        click.option("--device", type=click.Choice(["cpu", "cuda"]), help="Where networks and XGBoost run."),
    )


def search_options(command: F) -> F:
    """Options that say what to minimise, and how to search."""
    return _with(
        command,
        click.option(
            "--objective",
            type=click.Choice(["total", "train", "inference", "lifecycle"]),
            help="Which grams: of all stages (default), of training, of 1,000 predictions, of a year.",
        ),
        click.option("--retrains-per-year", type=float, metavar="N", help="For lifecycle.  [default: 12]"),
        click.option("--predictions-per-year", type=float, metavar="N", help="For lifecycle.  [default: 1000000]"),
        click.option("--trials", type=int, metavar="N", help="How many pipelines to run.  [default: 100]"),
        click.option(
            "--timeout", type=float, metavar="SECONDS", help="Time for everything, the front's tests included."
        ),
        click.option(
            "--budget-grams", type=float, metavar="G", help="Grams for everything, the front's tests included."
        ),
        click.option("--patience", type=int, metavar="N", help="Stop after N trials without a gain in hypervolume."),
        click.option("--max-grams", type=float, metavar="G", help="Of no use: a pipeline that costs more."),
        click.option("--min-score", type=float, metavar="S", help="Of no use: a pipeline that scores less."),
        click.option(
            "--tolerance", type=float, metavar="T", help="Pick the greenest within T of the best.  [default: 0.01]"
        ),
        click.option(
            "--sampler",
            metavar="NAME",
            help="auto (default), sms-emoa, nsga2, tpe, gp, random, nsga2-stock, or a dotted class name.",
        ),
        click.option("--cache-mb", type=int, metavar="MB", help="Disk for shared stage results.  [default: 1000]"),
        click.option("--no-cache", "cache_mb", flag_value=0, type=int, help="Run every stage of every trial."),
        click.option("--harvest/--no-harvest", default=None, help="Half-grown models count as trials.  [default: yes]"),
        click.option(
            "--stop-early/--no-stop-early", default=None, help="End trials that cannot reach the front.  [default: yes]"
        ),
        click.option(
            "--population",
            type=int,
            metavar="N",
            help="Population of NSGA-II.  [default: trials/20, 10 to 50]",
        ),
        click.option("--storage", metavar="URL", help="Database that several drivers share: postgresql+psycopg://..."),
        click.option("--space", metavar="NAME|FILE", help="Search space.  [default: default]"),
        click.option(
            "--explain",
            type=click.Choice(["front", "every", "never"]),
            help="Which trials to explain.  [default: front]",
        ),
        click.option(
            "--confirm", type=int, metavar="N", help="Measure front members N times again, alone.  [default: 3]"
        ),
        click.option("--engine", metavar="NAME", help="Where trials run.  [default: worker_process]"),
        click.option("--scheduler", metavar="URL", help="For --engine dask: tcp://...  [default: a local cluster]"),
        click.option("--workers", type=int, metavar="N", help="Trials at the same time.  [default: 1]"),
        click.option("--trial-timeout", type=float, metavar="SECONDS", help="Kill a trial that runs longer."),
        click.option(
            "--trial-memory", type=int, metavar="MB", help="Kill a trial that takes more.  [default: what is free]"
        ),
    )


def use_data_root(folder: str | None) -> None:
    """Makes relative data paths start in `folder`. StudyError where there is no such folder."""
    import os

    from cemai_opt.compose import DATA_ROOT
    from cemai_opt.core.errors import StudyError

    if folder is None:
        return
    if not Path(folder).is_dir():
        raise StudyError(f"--data-root: there is no folder {folder}", "name an existing folder")
    os.environ[DATA_ROOT] = folder


def _names(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(name.strip() for name in value.split(",") if name.strip())


def _with(command: F, *options: Callable[[F], F]) -> F:
    for option in reversed(options):
        command = option(command)
    return command
