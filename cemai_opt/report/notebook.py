"""The representation of a front in notebooks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from cemai_opt.core.errors import StudyError
from cemai_opt.core.front import MIN_CARBON_G
from cemai_opt.core.units import readable_grams
from cemai_opt.report.columns import member_columns
from cemai_opt.runs.front_member import FrontMember
from cemai_opt.runs.recommendation import recommendation_lines, yearly_use
from cemai_opt.runs.run_folder import RunFolder, front_rows
from cemai_opt.runs.run_view import RunView

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


WIDTH, HEIGHT = 480.0, 250.0
LEFT, BELOW, MARGIN = 64.0, 36.0, 15.0
"""Room for the words at the axes, and for the dots within them."""
DOT, FAINT = "#0072b2", "#9aa0a8"
"""Colours that are visible on white and on black."""


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
        return front_html(self.view)


def front_html(view: RunView) -> str:
    """A front as a table and a picture."""
    front = view.front
    columns = member_columns(front)
    head = "".join(f"<th>{escape(column.heading)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(column.text(member))}</td>" for column in columns) + "</tr>"
        for member in view.candidates
    )
    caption = f"<caption>{escape(front.score)} against gCO2eq</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{_picture(view)}"


def run_html(folder: RunFolder) -> str:
    """A run in a notebook: what to take in plain words, then its front; or why there is none yet."""
    try:
        view = RunView.of(folder)
    except StudyError as error:
        return f"<p>{escape(str(folder.path))}: {escape(str(error))}</p>"
    lines = recommendation_lines(view.front, yearly_use(view.study.objective))
    advice = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<p><b>{escape(str(folder.path))}</b></p><ul>{advice}</ul>{front_html(view)}"


def _picture(view: RunView) -> str:
    """Score against the logarithm of grams as a small picture, drawn without a library, so that it appears at once."""
    if not view.members:
        return ""
    low = min(member.validation for member in view.members)
    points = [(p.carbon_g, p.score, FAINT, 2.0) for p in view.complete if p.score >= low]
    points += [(m.carbon_g, m.validation, DOT, 5.0) for m in view.members]
    x = _scale([math.log10(max(grams, MIN_CARBON_G)) for grams, *_ in points], LEFT + MARGIN, end=WIDTH - MARGIN)
    y = _scale([score for _, score, *_ in points], HEIGHT - BELOW, end=MARGIN)
    dots = "".join(
        f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="{radius:g}" fill="{color}"/>'
        for cx, cy, (*_, color, radius) in zip(x, y, points, strict=True)
    )
    words = f"{view.front.score} (up) against the logarithm of grams (right)"
    return (
        f'<svg role="img" aria-label="{words}" width="{WIDTH:g}" height="{HEIGHT:g}"><title>{words}</title>'
        f"{_axes(points, score=view.front.score, unit=view.front.unit)}{dots}</svg>"
    )


def _axes(points: Sequence[tuple[float, float, str, float]], *, score: str, unit: str) -> str:
    """A frame, with the smallest and the largest value at its ends."""
    grams, scores = [p[0] for p in points], [p[1] for p in points]
    bottom, right = HEIGHT - BELOW + 6.0, WIDTH - MARGIN
    words = [
        (LEFT - 6.0, MARGIN + 4.0, "end", f"{max(scores):.3f}"),
        (LEFT - 6.0, bottom - 4.0, "end", f"{min(scores):.3f}"),
        (LEFT - 6.0, (MARGIN + bottom) / 2, "end", score),
        (LEFT, bottom + 15.0, "start", readable_grams(min(grams))),
        (right, bottom + 15.0, "end", readable_grams(max(grams))),
        ((LEFT + right) / 2, bottom + 15.0, "middle", unit),
    ]
    frame = f'<path d="M{LEFT:g} 5V{bottom:g}H{WIDTH - 5:g}" fill="none" stroke="currentColor"/>'
    return frame + "".join(
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="11" fill="currentColor">{escape(text)}</text>'
        for x, y, anchor, text in words
    )


def _scale(values: Sequence[float], start: float, *, end: float) -> list[float]:
    low, width = min(values), (max(values) - min(values)) or 1.0
    return [start + (value - low) / width * (end - start) for value in values]
