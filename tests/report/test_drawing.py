"""Figures for a page and for a paper."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from cemai_opt.report._drawing import ON_PAGE, ON_PAPER, Palette, ReportFigure, finish, grams_axis, new_figure

pytest.importorskip("matplotlib")


def drawn(palette: Palette, name: str = "grams") -> ReportFigure:
    """A line from a microgram to a gram."""
    figure, ax = new_figure(2.0)
    ax.plot([1e-6, 1.0], [0.0, 1.0], color=palette.faint)
    grams_axis(ax, is_log=True)
    finish(ax, palette, title="Grams")
    return ReportFigure(name=name, title="Grams", alt="A line.", figure=figure)


def test_a_figure_of_a_page_takes_the_colours_of_the_page() -> None:
    """Which has a light and a dark mode."""
    svg = drawn(ON_PAGE).svg()
    assert "var(--ink)" in svg
    assert "var(--faint)" in svg
    assert not any(color in svg for color in (ON_PAGE.ink, ON_PAGE.faint, ON_PAGE.paper))


def test_two_figures_of_a_page_share_no_name() -> None:
    """Else one would be clipped as the other."""
    ids = [{element.get("id") for element in ElementTree.fromstring(drawn(ON_PAGE, n).svg()).iter()} for n in "ab"]
    assert ids[0] & ids[1] <= {None}
    assert len(ids[0]) > 2


def test_a_figure_of_a_page_is_as_wide_as_there_is_room() -> None:
    """It keeps its proportions."""
    root = ElementTree.fromstring(drawn(ON_PAGE).svg())
    assert root.get("width") is None
    assert root.get("viewBox")


@pytest.mark.parametrize(("form", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_a_figure_is_a_file_for_a_paper(form: str, start: bytes) -> None:
    """In colours of its own."""
    content = drawn(ON_PAPER).file(form)
    assert content.startswith(start)
    assert b"var(--" not in content


@pytest.mark.parametrize(("high", "ticks"), [(1.0, ["1 ug", "1 mg", "1 g"]), (4e-6, ["1 ug", "2 ug"])])
def test_grams_on_an_axis_can_be_read(high: float, ticks: list[str]) -> None:
    """Few decades have ticks in between."""
    figure, ax = new_figure(2.0)
    ax.plot([1e-6, high], [0.0, 1.0])
    grams_axis(ax, is_log=True)
    figure.canvas.draw()
    shown = [tick.label1.get_text() for tick in (*ax.xaxis.get_major_ticks(), *ax.xaxis.get_minor_ticks())]
    assert set(ticks) <= set(shown)


def test_a_figure_is_forgotten_when_nobody_holds_it() -> None:
    """A long session does not fill the memory."""
    import matplotlib.pyplot as plt

    drawn(ON_PAPER)
    assert plt.get_fignums() == []


def test_axes_side_by_side_have_one_scale() -> None:
    """Up and down."""
    _, (left, right) = new_figure(2.0, n_columns=2)
    left.set_ylim(0.0, 7.0)
    assert right.get_ylim() == (0.0, 7.0)
