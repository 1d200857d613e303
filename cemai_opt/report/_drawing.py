"""What all figures have in common: colours, axes, and export to a file or to a part of a page."""

from __future__ import annotations

import io
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cemai_opt.core.units import readable_grams

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAMILY_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#7f7f7f")
"""Okabe and Ito's colours, which are safe for colour-blind readers and visible on white and on black."""
STAGE_COLORS = (
    "#4e79a7",
    "#a0cbe8",
    "#f28e2b",
    "#ffbe7d",
    "#59a14f",
    "#8cd17d",
    "#b6992d",
    "#e15759",
    "#b07aa1",
    "#9c755f",
    "#7f7f7f",
)
WIDTH_IN = 5.6
"""Narrow enough for text to stay readable on a phone."""
PNG_DPI = 300


@dataclass(frozen=True)
class Palette:
    """Colours of text, of secondary elements, and of the background."""

    ink: str
    faint: str
    paper: str


ON_PAPER = Palette("#1a1a1a", "#b0b0b0", "#ffffff")
ON_PAGE = Palette("#010203", "#040506", "#070809")
"""Placeholders that `ReportFigure.svg` replaces by CSS variables of the page, for light and dark mode."""


@dataclass(frozen=True, kw_only=True)
class ReportFigure:
    """A figure with its title and a description in words."""

    name: str
    title: str
    alt: str
    figure: Figure

    def svg(self) -> str:
        """A figure drawn with `ON_PAGE` as an `<svg>` element with unique ids."""
        text = self.file("svg", "none").decode()
        for name, stand_in in asdict(ON_PAGE).items():
            text = text.replace(stand_in, f"var(--{name})")
        text = text[text.index("<svg") :]
        text = re.sub(r'\bid="', f'id="{self.name}-', text)
        text = re.sub(r"url\(#", f"url(#{self.name}-", text)
        text = re.sub(r'href="#', f'href="#{self.name}-', text)
        text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
        return re.sub(r'(<svg[^>]*?) width="[^"]*"| height="[^"]*(?=" viewBox)"', r"\1", text, count=1)

    def file(self, form: str, ground: str = ON_PAPER.paper) -> bytes:
        """The figure as a file: "png", "svg" or "pdf"."""
        import matplotlib as mpl
        from matplotlib.text import Text

        stream = io.BytesIO()
        for text in self.figure.findobj(Text):
            text.set_parse_math(False)  # a column may be called `in $^$`
        with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": self.name}):
            self.figure.savefig(
                stream, format=form, dpi=PNG_DPI, facecolor=ground, bbox_inches="tight", pad_inches=0.05
            )
        return stream.getvalue()


def new_figure(height_in: float, n_columns: int = 1) -> tuple[Figure, Any]:
    """A figure that is not registered with pyplot, so that it is garbage-collected."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from cemai_opt.report._shown_figure import ShownFigure

    figure = ShownFigure(figsize=(WIDTH_IN, height_in), layout="constrained", facecolor="none")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, n_columns, sharey=n_columns > 1)


def finish(ax: Axes, palette: Palette, *, title: str, grid: bool = True) -> None:
    """Gives an axis its title and the palette's colours."""
    ax.set_facecolor("none")
    ax.set_title(title, color=palette.ink, fontsize=9.5, loc="left")
    ax.tick_params(which="both", colors=palette.ink, labelsize=8)
    for label in (ax.xaxis.label, ax.yaxis.label):
        label.set(color=palette.ink, fontsize=8.5)
    for side, spine in ax.spines.items():
        spine.set(color=palette.ink, linewidth=0.6, visible=side in ("left", "bottom"))
    if grid:
        ax.grid(True, axis="both", color=palette.faint, lw=0.3, alpha=0.6)
        ax.set_axisbelow(True)


def grams_axis(ax: Axes, is_log: bool) -> None:
    """Grams along the x axis, with a suitable SI prefix."""
    from matplotlib.ticker import LogFormatter, LogLocator

    if not is_log:
        ax.locator_params(axis="x", nbins=4)
        ax.xaxis.set_major_formatter(lambda grams, _: readable_grams(grams))
        return
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(lambda grams, _: readable_grams(grams))
    low, high = ax.get_xlim()
    if high < 30 * low:  # with fewer than two decades, powers of ten alone are too few ticks
        ax.xaxis.set_minor_locator(LogLocator(subs=(2.0, 5.0)))
        ax.xaxis.set_minor_formatter(lambda grams, _: readable_grams(grams))
    else:
        ax.xaxis.set_minor_formatter(LogFormatter(labelOnlyBase=True))
