"""The front as a table for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich.table import Table

from cemai_opt.core.result import NOISY_LOAD
from cemai_opt.core.spending import joules_by
from cemai_opt.core.units import readable_grams
from cemai_opt.report.documents import RunRecord, marks_of

DEAREST = 3
"""Families named in the one line about what was spent."""


def front_table(document: Mapping[str, Any]) -> Table:
    """Members greenest first, with their marks: knee, best, greenest."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, align in (
        ("trial", "right"),
        ("model", "left"),
        ("valid", "right"),
        ("test", "right"),
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
    members = list(document["members"])
    baseline = document.get("baseline")
    if baseline and baseline["trial"] not in [member["trial"] for member in members]:
        members.append(baseline)
    if baseline:
        marks[baseline["trial"]] = f"{marks.get(baseline['trial'], '')} untuned".strip()
    for member in members:
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
    what = "one run of all stages" if document["unit"] == "gCO2eq" else document["unit"]
    lines = [f"{document['score']} on validation and test rows; grams: {what}"]
    if document.get("baseline"):
        lines.append("untuned: the knee of the libraries' defaults, what there is without a search")
    if any(member["ties"] for member in document["members"]):
        lines.append("~ grams within two standard uncertainties of another member's: a tie")
    if any(member["foreign_load"] > NOISY_LOAD for member in document["members"]):
        lines.append("! measured beside other work that used more than 10 % of the machine")
    return "\n".join(lines)


def ledger_line(record: RunRecord, grams: Callable[[float], str] = readable_grams) -> str:
    """What the search has burned: on what trials, and on which families most."""
    carbon = record.study.carbon
    entries = joules_by("entry", record.spent)
    families = sorted(joules_by("model", record.spent).items(), key=lambda item: -item[1])[:DEAREST]
    return (
        f"the search spent {grams(record.spent_g)} CO2eq: "
        + ", ".join(f"{name} {grams(carbon.grams(joules))}" for name, joules in entries.items())
        + "; dearest families: "
        + ", ".join(f"{name} {grams(carbon.grams(joules))}" for name, joules in families)
    )
