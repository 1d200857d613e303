"""Options that several commands share, and how they change a study."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from cemai_opt.core.spec import StudySpec

F = TypeVar("F", bound=Callable[..., Any])

PLACES = {
    "data": "data.path",
    "test": "data.test",
    "target": "data.target",
    "group": "data.group",
    "time": "data.time",
    "test_groups": "data.test_groups",
    "ignore": "data.ignore",
    "missing": "data.missing",
    "clip_target": "data.clip_target",
    "horizon": "data.horizon",
    "task": "task",
    "score": "score",
    "split": "split.by",
    "folds": "split.folds",
    "space": "space",
    "sampler": "search.sampler",
    "trials": "search.trials",
    "timeout": "search.timeout_s",
    "population": "search.population",
    "explain": "search.explain",
    "confirm": "search.confirm",
    "country": "carbon.country",
    "intensity": "carbon.intensity_g_per_kwh",
    "pue": "carbon.pue",
    "meter": "carbon.meter",
    "engine": "engine",
    "seed": "seed",
    "threads": "threads",
    "device": "device",
}
"""Where each option stands in a study file."""


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
        click.option("--horizon", type=int, metavar="H", help="Predict the target H rows later.  [default: 0]"),
        click.option(
            "--split",
            type=click.Choice(["group", "time", "rows"]),
            help="How rows are parted; rows are shuffled.",
        ),
        click.option("--folds", type=int, metavar="K", help="Validation folds; 1 is one holdout."),
        click.option("--data-root", metavar="DIR", help="Where relative data paths start.  [env: CEMAI_OPT_DATA]"),
        click.option("--country", metavar="ISO3", help="Carbon intensity of a country, such as NOR."),
        click.option("--intensity", type=float, metavar="G_PER_KWH", help="Carbon intensity in grams per kWh."),
        click.option(
            "--pue",
            type=float,
            metavar="FACTOR",
            help="Power usage effectiveness of the building.  [default: 1]",
        ),
        click.option("--meter", metavar="NAME", help="Source of CPU energy.  [default: the best readable]"),
        click.option("--score", metavar="NAME", help="r2, f1, f1_macro, balanced_accuracy or average_precision."),
        click.option("--seed", type=int, help="The same seed gives the same scores.  [default: 0]"),
        click.option("--threads", type=int, metavar="N", help="Threads of one trial.  [default: 1]"),
        click.option("--device", type=click.Choice(["cpu", "cuda"]), help="Where networks and XGBoost run."),
    )


def search_options(command: F) -> F:
    """Options that say how to search."""
    return _with(
        command,
        click.option("--trials", type=int, metavar="N", help="How many pipelines to run.  [default: 100]"),
        click.option("--timeout", type=float, metavar="SECONDS", help="Start no trial after this time."),
        click.option("--sampler", metavar="NAME", help="nsga2 (default), nsga2-stock, tpe or random."),
        click.option(
            "--population",
            type=int,
            metavar="N",
            help="Population of NSGA-II.  [default: trials/20, 10 to 50]",
        ),
        click.option("--space", metavar="NAME|FILE", help="Search space.  [default: default]"),
        click.option(
            "--explain",
            type=click.Choice(["front", "every", "never"]),
            help="Which trials to explain.  [default: front]",
        ),
        click.option(
            "--confirm", type=int, metavar="N", help="Measure front members N times again, alone.  [default: 3]"
        ),
        click.option("--engine", metavar="NAME", help="Where trials run.  [default: in_process]"),
    )


def changed(study: StudySpec, options: Mapping[str, Any]) -> StudySpec:
    """The study with every given option in its place. StudyError where a value does not fit."""
    from cemai_opt.core.spec import parse_study

    document = study.to_json()
    given = {name: value for name, value in options.items() if value is not None and name in PLACES}
    for name, value in given.items():
        *path, key = PLACES[name].split(".")
        place = document
        for step in path:
            place = place[step]
        place[key] = value.replace("-", "_") if name in ("sampler", "score", "engine", "meter") else value
    if "data" in given:
        document["data"]["source"] = "tabular"
        if document["data"]["path"] != study.data.path and "test" not in given:
            document["data"]["test"] = None
    for one, other in (("country", "intensity"), ("intensity", "country")):
        if one in given and other not in given:  # the newer word replaces the older one
            document["carbon"][PLACES[other].split(".")[1]] = None
    return parse_study(document, "options")


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


def study_of_file(path: str) -> str:
    """A study's name from a data path: letters, digits, dots, dashes.

    >>> study_of_file("../my data/press line.csv.gz")
    'press_line'
    """
    stem = Path(path.rstrip("/")).name.split(".")[0]
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in stem).lstrip("_-")
    return name[:80] or "study"


def _names(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(name.strip() for name in value.split(",") if name.strip())


def _with(command: F, *options: Callable[[F], F]) -> F:
    for option in reversed(options):
        command = option(command)
    return command
