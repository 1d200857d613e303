"""A figure in a notebook."""

from __future__ import annotations

from cemai_opt.report._shown_figure import ShownFigure


def test_a_figure_shows_itself() -> None:
    """As a PNG, though pyplot does not know it."""
    figure = ShownFigure(figsize=(2, 1))
    figure.subplots().plot([1, 2])
    assert figure._repr_png_()[:4] == b"\x89PNG"
