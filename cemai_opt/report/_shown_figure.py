"""Figures that notebooks show as pictures."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

SCREEN_DPI = 110


class ShownFigure(Figure):
    """A figure that is not known to pyplot, and therefore says itself how a notebook shows it."""

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        self.savefig(stream, format="png", dpi=SCREEN_DPI, facecolor="white", bbox_inches="tight")
        return stream.getvalue()
