"""Updates an exported model with new labelled rows, or keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cemai_opt.cli._verbosity import notes_console

if TYPE_CHECKING:
    from cemai_opt.updating import Updated


@click.command()
@click.argument("model")
@click.option(
    "--data", required=True, metavar="PATH", help="New rows with their target: a file or folder of their own."
)
@click.option(
    "--min-gain",
    type=click.FloatRange(0.0, 1.0),
    default=0.05,
    show_default=True,
    help="Reduction of the error that a refit is worth; cheaper actions need less.",
)
@click.option("--run", metavar="DIR", help="The run that the model comes from: allows a search from its front.")
@click.option(
    "--search-gain",
    type=click.FloatRange(0.0, 1.0),
    default=0.2,
    show_default=True,
    help="Excess error, left after a refit, from which a search is worth it.",
)
@click.option("--budget-grams", type=click.FloatRange(min=0.0), help="Grams of a search.  [default: half of RUN's]")
@click.option("--ignore", metavar="A,B", default="", help="Columns of the data that are not inputs of the model.")
@click.option("--crontab", "schedule", metavar="SCHEDULE", help="Print a crontab for this update ('@weekly'), and end.")
@click.option("--json", "as_json", is_flag=True, help="Print the entry of the log.")
def command(
    model: str,
    data: str,
    min_gain: float,
    run: str | None,
    search_gain: float,
    budget_grams: float | None,
    ignore: str,
    schedule: str | None,
    as_json: bool,
) -> None:
    """Keep, continue to train, refit or search again the exported model in folder MODEL, as its errors on new rows say.

    Each update needs new rows in a file of its own; a new model replaces the old one, which is kept as MODEL.previous.
    """
    import json
    from functools import partial
    from pathlib import Path

    from cemai_opt.core.errors import StudyError
    from cemai_opt.core.serialization import to_json
    from cemai_opt.updating import Rules, Search, choose, update_model

    if budget_grams is not None and run is None:
        raise StudyError("--budget-grams is for a search, which starts from a run", "give the run with --run")
    if schedule is not None:
        click.echo(_crontab(schedule), nl=False)
        return
    console = notes_console()
    updated = update_model(
        Path(model),
        Path(data),
        decide=partial(choose, rules=Rules(min_gain=min_gain, search_gain=search_gain)),
        search=None if run is None else Search(run=Path(run), budget_g=budget_grams),
        ignore=tuple(name.strip() for name in ignore.split(",") if name.strip()),
        on_phase=lambda phase: console.print(phase, markup=False),
    )
    for note in updated.notes:
        console.print(note, markup=False)
    click.echo(json.dumps(to_json(updated.entry)) if as_json else _text_of(updated, model))


def _crontab(schedule: str) -> str:
    """The crontab of this very command, without the schedule."""
    import os
    import sys

    from cemai_opt.updating.crontab import crontab

    arguments, skipped = list[str](), False
    for argument in sys.argv[1:]:
        if argument == "--crontab":
            skipped = True
        elif skipped:
            skipped = False
        elif not argument.startswith("--crontab="):
            arguments.append(argument)
    return crontab(schedule, arguments, folder=os.getcwd())


def _text_of(updated: Updated, model: str) -> str:
    from cemai_opt.core.units import readable_grams
    from cemai_opt.updating.card import readable_score

    entry = updated.entry
    if updated.is_repeated:
        return f"update {entry.number} has seen these rows: nothing to do"
    joules = sum(entry.energy_j.values())
    refit_g = entry.expected_j["refit"] * (entry.carbon_g / joules if joules else 0.0)
    lines = [
        f"{entry.rows} new rows: {entry.score_name} {readable_score(entry.score)}; {entry.reason}",
        f"{entry.choice}: {_outcome(updated, model)}",
        f"this update cost {readable_grams(entry.carbon_g)} +- {readable_grams(entry.uncertainty_g)} CO2eq; "
        f"a refit costs about {readable_grams(refit_g)}",
    ]
    if updated.whole_process_g is not None:
        lines.append(f"including startup and loading libraries: {readable_grams(updated.whole_process_g)}")
    return "\n".join(lines)


def _outcome(updated: Updated, model: str) -> str:
    from cemai_opt.updating.card import readable_score

    held_out = updated.entry.held_out
    if held_out is None:
        return f"the model in {model} stays as it is"
    groups = f" of {held_out.groups} group{'s' if held_out.groups > 1 else ''}" if held_out.groups else ""
    before, after = readable_score(held_out.before), readable_score(held_out.after)
    scores = f"{before} before, {after} after, on the {held_out.rows} newest rows{groups}"
    if updated.entry.outcome == "replaced":
        return f"a new model is in {model}, the one before in {model.rstrip('/')}.previous ({scores})"
    return f"the new model is worse and was dropped ({scores})"
