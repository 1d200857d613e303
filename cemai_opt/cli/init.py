"""Writes a study file for a table, with the columns in comments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cemai_opt.cli._verbosity import notes_console

if TYPE_CHECKING:
    import pandas as pd

    from cemai_opt.datasets import Role

MAX_COLUMNS = 60
"""Columns that are described in comments."""
NONE = "none"


@click.command()
@click.argument("data")
@click.option("--target", metavar="COL", help="Column to predict.")
@click.option("--group", metavar="COL", help="Column of units, tools or experiments, or none.")
@click.option("--time", metavar="COL", help="Column that orders the rows of a group, or none.")
@click.option("--out", metavar="FILE", help="The study file.  [default: DATA.yaml, here]")
@click.option("--yes", is_flag=True, help="Take what is guessed instead of asking.")
def command(data: str, target: str | None, group: str | None, time: str | None, out: str | None, yes: bool) -> None:
    """Write a study file for the table in DATA (a file, or a folder of files).

    Target, group and time are guessed and asked for, or guessed without asking if there is no terminal.
    """
    import sys
    from pathlib import Path

    from cemai_opt.core.data_spec import DataSpec
    from cemai_opt.core.errors import StudyError, nearest
    from cemai_opt.core.files import atomic_file
    from cemai_opt.datasets import READERS, roles_of
    from cemai_opt.datasets.tabular import Tabular
    from cemai_opt.options import study_name_of

    place = Path(out or f"{study_name_of(data)}.yaml")
    if place.exists():
        raise StudyError(f"{place} exists", "choose another --out")
    reader = READERS.require("tabular")()
    assert isinstance(reader, Tabular)
    frames = reader.frames(DataSpec(path=data))
    frame, console = frames.rows, notes_console()
    for note in frames.notes:
        console.print(note, markup=False)
    is_asking, guessed = sys.stdin.isatty() and not yes, roles_of(frame)
    chosen = {
        name: _chosen(name, given, guess=getattr(guessed, name), is_asking=is_asking)
        for name, given in (("target", target), ("group", group), ("time", time))
    }
    for name, column in chosen.items():
        if column is not None and column not in frame.columns:
            raise StudyError(f"--{name}: there is no column {column!r}", nearest(column, map(str, frame.columns)))
    if chosen["target"] is None:
        raise StudyError("a study needs a target", "name its column with --target")
    if frame[chosen["target"]].nunique() < 2:
        raise StudyError(f"column {chosen['target']!r} has one value only", "name another one with --target")
    with atomic_file(place) as draft:
        draft.write(_text(data, frame, chosen=chosen).encode())
    click.echo(f"{place} written; next: cemai-opt optimize {place}")


def _chosen(name: str, given: str | None, *, guess: Role | None, is_asking: bool) -> str | None:
    """The column for a role: as given, as answered, or as guessed, which is said."""
    if given is None and is_asking:
        about = f"{name} ({guess.column!r} {guess.why})" if guess is not None else name
        given = click.prompt(about, default=guess.column if guess is not None else NONE, err=True)
    if given is not None:
        return None if given == NONE else given
    if guess is None:
        return None
    notes_console().print(f"{name}: {guess.column!r}, because it {guess.why} (--{name} changes it)", markup=False)
    return guess.column


def _text(data: str, frame: pd.DataFrame, *, chosen: dict[str, str | None]) -> str:
    from cemai_opt.core.yaml_text import yaml_text
    from cemai_opt.options import study_name_of

    columns = [_described(frame, column) for column in list(frame.columns)[:MAX_COLUMNS]]
    more = len(frame.columns) - MAX_COLUMNS
    study = {
        "name": study_name_of(data),
        "data": {"path": data, **{k: v for k, v in chosen.items() if v is not None}, "ignore": []},
        "search": {"preset": "balanced"},
    }
    lines = [
        f"# A study of {len(frame):,} rows. Run it: cemai-opt optimize FILE. All keys: docs/options.md",
        "#",
        "# Columns (put what is not known when a prediction is made into data.ignore):",
        *(f"#   {line}" for line in columns),
        *([f"#   and {more} more"] if more > 0 else []),
        "#",
        "# data.group: rows of one group (machine, tool, experiment) are never split between training and test.",
        "# data.time: orders the rows of a group; needed if the file is not in order.",
        "# split: {by: time} is right for one series without times; without all three, rows are independent.",
        "# More keys of data: horizon, calendar, test, missing; of search: trials, budget_g, max_carbon_g, min_score.",
        "# carbon: {country: NOR} sets the carbon intensity; without it, the world mean is used.",
    ]
    return "\n".join(lines) + "\n" + yaml_text(study)


def _described(frame: pd.DataFrame, column: object) -> str:
    """A column in a line: its type, how many values it has or its range, and what is missing."""
    import pandas as pd

    values = frame[column]
    if pd.api.types.is_numeric_dtype(values) and values.notna().any():
        what = f"number, {values.min():.6g} to {values.max():.6g}"
    else:
        known = values.dropna().unique()
        what = f"{len(known)} values, such as {', '.join(map(repr, map(str, known[:3])))}" if len(known) else "empty"
    missing = values.isna().mean()
    return f"{column!r}: {what}" + (f", {missing:.0%} missing" if missing else "")
