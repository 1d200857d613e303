"""The front as a table for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from cemai_opt.core.front import Front, Point
from cemai_opt.core.result import NOISY_LOAD
from cemai_opt.core.units import readable_grams


def front_table(document: Mapping[str, Any]) -> Table:
    """Members greenest first, with their marks: knee, best, greenest."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, align in (
        ("trial", "right"),
        ("model", "left"),
        (f"{document['score']} valid", "right"),
        (f"{document['score']} test", "right"),
        (str(document["unit"]).split()[0], "right"),
        ("+-", "right"),
        ("", "left"),
    ):
        table.add_column(heading, justify=align, no_wrap=True)  # type: ignore[arg-type]  # both are alignments
    marks = marks_of(document)
    for member in document["members"]:
        if member["ties"]:
            marks[member["trial"]] = f"~ {marks.get(member['trial'], '')}".strip()
        if member["foreign_load"] > NOISY_LOAD:
            marks[member["trial"]] = f"! {marks.get(member['trial'], '')}".strip()
    for member in document["members"]:
        test = member["test"]
        table.add_row(
            str(member["trial"]),
            member["model"],
            f"{member['validation']:.3f}",
            "-" if test is None else f"{test:.3f}",
            readable_grams(member["carbon_g"]),
            readable_grams(member["uncertainty_g"]),
            marks.get(member["trial"], ""),
        )
    return table


def legend(document: Mapping[str, Any]) -> str:
    """What the marks mean that the table shows; empty where it shows none."""
    unit, _, of_what = str(document["unit"]).partition(" ")
    lines = [f"{unit} {of_what}"] if of_what else []
    if any(member["ties"] for member in document["members"]):
        lines.append("~ grams within two standard uncertainties of another member's: a tie")
    if any(member["foreign_load"] > NOISY_LOAD for member in document["members"]):
        lines.append("! measured beside other work that used more than 10 % of the machine")
    return "\n".join(lines)


def marks_of(document: Mapping[str, Any]) -> dict[int, str]:
    """Which trial is the knee, the best, the greenest."""
    front = picks(document)
    if not len(front):
        return {}
    marks: dict[int, list[str]] = {}
    for name, point in (("knee", front.knee), ("best", front.best), ("greenest", front.greenest)):
        marks.setdefault(point.trial, []).append(name)
    return {trial: ", ".join(names) for trial, names in marks.items()}


def picks(document: Mapping[str, Any]) -> Front:
    """The front of a document, for picking members by rule."""
    return Front.of(Point(m["trial"], m["validation"], m["carbon_g"]) for m in document["members"])
