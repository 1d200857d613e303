"""Writes the configuration of a front member, ready for `run`."""

from __future__ import annotations

from typing import Any

import click


@click.command()
@click.argument("run")
@click.option(
    "--pick",
    default="knee",
    show_default=True,
    metavar="knee|best|within|greenest|TRIAL",
    help="Which front member.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0.0),
    help="What `within` means: how far below the best score.  [default: the run's]",
)
@click.option("--out", required=True, metavar="FILE", help="Where the configuration goes (YAML).")
def command(run: str, pick: str, tolerance: float | None, out: str) -> None:
    """Export a Pareto-optimal configuration of the run in folder RUN; `run` accepts it."""
    from pathlib import Path

    import yaml

    from cemai_opt.core.units import readable_grams
    from cemai_opt.report import RunFolder
    from cemai_opt.report.run_folder import write_text

    folder = RunFolder(Path(run))
    front, study = folder.front(), folder.study()
    member = _picked(front, pick, front["tolerance"] if tolerance is None else tolerance)
    document = {
        "picked": {
            "rule": pick,
            "trial": member["trial"],
            "model": member["model"],
            "score": front["score"],
            "validation": member["validation"],
            "test": member["test"],
            "carbon_g": member["carbon_g"],
        },
        "config": member["config"],
        "study": study.to_json(),
    }
    write_text(Path(out), yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    click.echo(f"trial {member['trial']} ({member['model']}, {readable_grams(member['carbon_g'])}) -> {out}")


def _picked(front: dict[str, Any], pick: str, tolerance: float) -> dict[str, Any]:
    """The member that a rule or a trial number names. StudyError where there is none."""
    from cemai_opt.core.errors import StudyError, nearest
    from cemai_opt.report.documents import picks

    members: dict[int, dict[str, Any]] = {member["trial"]: member for member in front["members"]}
    if not members:
        raise StudyError("the front has no member", "no trial of this run was complete; see trials.jsonl for why")
    if pick in ("knee", "best", "greenest"):
        return members[getattr(picks(front), pick).trial]
    if pick == "within":
        return members[picks(front).within(tolerance).trial]
    if pick.isdecimal() and int(pick) in members:
        return members[int(pick)]
    raise StudyError(
        f"--pick {pick}: no such front member",
        nearest(pick, ["knee", "best", "within", "greenest", *map(str, members)]),
    )
