"""A front as a notebook shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cemai_opt.report.documents import front_rows
from cemai_opt.report.run_view import Member, RunView

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Front:
    """The Pareto front of a run, greenest first. In a notebook it shows itself as a table; `plot()` draws it.

    Members are mappings with the keys of `front.json`: `trial`, `model`, `validation`, `test`, `carbon_g`,
    `uncertainty_g`, `stages`, `config` and more.
    """

    view: RunView

    def __len__(self) -> int:
        return len(self.view.members)

    def __iter__(self) -> Iterator[Member]:
        return iter(self.view.members)

    def __getitem__(self, i: int) -> Member:
        return self.view.members[i]

    @property
    def knee(self) -> Mapping[str, Any] | None:
        """The member that is recommended; None on an empty front."""
        return self.view.knee

    def to_frame(self) -> pd.DataFrame:
        """A row a member, indexed by trial: scores, grams with their uncertainty, grams of each stage, marks."""
        import pandas as pd

        marks = [self.view.mark_of(member) for member in self]
        return pd.DataFrame(front_rows(self.view.front)).assign(mark=marks).set_index("trial")

    def plot(self) -> Figure:
        """Score against grams, as a matplotlib figure. StudyError where matplotlib is missing."""
        from cemai_opt.core.registry import need
        from cemai_opt.report.figures import front_picture

        need("matplotlib")
        return front_picture(self.view).figure

    def __repr__(self) -> str:
        return f"Front({', '.join(' '.join((str(m['trial']), m['model'])) for m in self)})"

    def _repr_html_(self) -> str:
        from html import escape

        from cemai_opt.core.units import readable_grams

        heads = ("trial", "model", "validation", "test", "gCO2eq", "+-", "")
        rows = [
            (
                m["trial"],
                m["model"],
                f"{m['validation']:.3f}",
                "-" if m["test"] is None else f"{m['test']:.3f}",
                readable_grams(m["carbon_g"]),
                readable_grams(m["uncertainty_g"]),
                self.view.mark_of(m),
            )
            for m in self
        ]
        head = "".join(f"<th>{escape(name)}</th>" for name in heads)
        body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
        score = escape(str(self.view.front["score"]))
        caption = f"<caption>{score} against gCO2eq</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
