"""The representation of a front in notebooks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cemai_opt.report.columns import member_columns
from cemai_opt.runs.front_member import FrontMember
from cemai_opt.runs.run_folder import front_rows
from cemai_opt.runs.run_view import RunView

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Front:
    """The Pareto front of a run, greenest first. In a notebook it is shown as a table; `plot()` draws it.

    Members are `cemai_opt.runs.FrontMember`: `trial`, `model`, `validation`, `test`, `carbon_g`, `uncertainty_g`,
    `stages`, `config` and more.
    """

    view: RunView

    def __len__(self) -> int:
        return len(self.view.members)

    def __iter__(self) -> Iterator[FrontMember]:
        return iter(self.view.members)

    def __getitem__(self, i: int) -> FrontMember:
        return self.view.members[i]

    @property
    def knee(self) -> FrontMember | None:
        """The recommended member; None on an empty front."""
        return self.view.front.knee

    @property
    def average(self) -> FrontMember | None:
        """The average of several members, if it is better than the best of them by more than the tolerance."""
        return self.view.front.average

    def to_frame(self) -> pd.DataFrame:
        """One row per member, indexed by trial: scores, grams with their uncertainty, grams of each stage, marks."""
        import pandas as pd

        rows = front_rows(self.view.front)
        marks = [self.view.front.mark_of(member) for member in self]
        return pd.DataFrame(rows, columns=None if rows else ["trial"]).assign(mark=marks).set_index("trial")

    def plot(self) -> Figure:
        """Score against grams, as a matplotlib figure. StudyError if matplotlib is missing."""
        from cemai_opt.core.registry import need
        from cemai_opt.report.figures import front_figure

        need("matplotlib")
        return front_figure(self.view).figure

    def __repr__(self) -> str:
        return f"Front({', '.join(f'{member.trial} {member.model}' for member in self)})"

    def _repr_html_(self) -> str:
        from html import escape

        front = self.view.front
        columns = member_columns(front)
        head = "".join(f"<th>{escape(column.heading)}</th>" for column in columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(column.text(member))}</td>" for column in columns) + "</tr>"
            for member in self.view.candidates
        )
        caption = f"<caption>{escape(front.score)} against gCO2eq</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
