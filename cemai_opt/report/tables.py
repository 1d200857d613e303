"""The front as a table for a terminal of 80 columns."""

from __future__ import annotations

from rich.table import Table

from cemai_opt.core.ledger_entry import joules_by
from cemai_opt.core.scores import error_of
from cemai_opt.core.units import readable_grams
from cemai_opt.report.columns import SCORE_ERROR, member_columns
from cemai_opt.runs.front import RunFront
from cemai_opt.runs.record import RunRecord

MAX_FAMILIES = 3
"""Number of model families in the line about what was spent."""
SHORT_HEADINGS = {"validation": "valid", SCORE_ERROR: "+-", "mark": ""}


def front_table(front: RunFront) -> Table:
    """Members greenest first, with their marks: knee, best, greenest."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    columns = member_columns(front)
    for column in columns:
        heading = SHORT_HEADINGS.get(column.heading, column.heading)
        is_mark = column.heading == "mark"  # marks wrap in a narrow terminal; numbers are never cut
        table.add_column(heading, justify="left" if column.is_text else "right", no_wrap=not is_mark)
    for member in front.table_members:
        table.add_row(*(column.text(member) for column in columns))
    return table


def legend(front: RunFront) -> str:
    """The meaning of the marks in the table."""
    what = "one run of all stages" if front.unit == "gCO2eq" else front.unit
    error = error_of(front.score)
    scores = f"{front.score} on validation and test rows" if error is None else f"{front.score} on validation rows"
    lines = [f"{scores}; grams: {what}"]
    if front.baseline is not None:
        lines.append("untuned: the best confirmed one of the configurations that run first: no search")
    if front.average is not None:
        lines.append("average: the weighted mean of the predictions of these trials, for the sum of their grams")
    if any(member.ties for member in front.members):
        lines.append("~ grams within two standard uncertainties of another member's: a tie")
    if any(member.score_ties for member in front.members):
        lines.append("~s score not different from another member's with 95 % confidence: a tie")
    if any(member.is_noisy for member in front.members):
        lines.append("! measured while other processes used more than 10 % of the machine")
    return "\n".join(lines)


def ledger_line(record: RunRecord) -> str:
    """The grams that the search has spent, by ledger entry and for the most expensive model families."""
    carbon = record.study.carbon
    families = sorted(joules_by("model", record.spent).items(), key=lambda item: -item[1])[:MAX_FAMILIES]

    def listed(joules: dict[str, float]) -> str:
        return ", ".join(f"{name} {readable_grams(carbon.grams(energy_j))}" for name, energy_j in joules.items())

    return (
        f"the search spent {readable_grams(record.spent_g)} CO2eq: {listed(joules_by('entry', record.spent))}; "
        f"most expensive families: {listed(dict(families))}"
    )
