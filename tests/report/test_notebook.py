"""A front in a notebook."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cemai_opt.report.notebook import Front, run_html
from cemai_opt.runs import RunFolder
from cemai_opt.runs.front_member import FrontMember
from tests.finished import finished_run
from tests.results import FRONT, run_of, trial, view_of


@pytest.fixture
def front() -> Front:
    """Three members."""
    return Front(view_of(run_of(*FRONT, finals={1: trial(1, 0.7, 2.0)})))


def html(front: Front) -> str:
    """What a notebook asks for."""
    return front._repr_html_()


def test_a_front_is_a_sequence_of_its_members(front: Front) -> None:
    """Greenest first."""
    assert len(front) == 3
    assert [member.trial for member in front] == [0, 1, 2]
    assert front[-1].trial == 2
    assert all(isinstance(member, FrontMember) for member in front)
    assert front.knee is not None
    assert front.knee.trial == 1


def test_a_frame_has_a_row_for_each_member(front: Front) -> None:
    """With grams of its stages, and its marks."""
    frame = front.to_frame()
    assert frame.index.tolist() == [0, 1, 2]
    assert frame.loc[1, "test"] == 0.7
    assert frame["carbon_g"].tolist() == pytest.approx([1.0, 2.0, 100.0])
    assert (frame["clean_carbon_g"] + frame["train_carbon_g"]).tolist() == pytest.approx(frame["carbon_g"].tolist())
    assert frame["mark"].tolist() == ["greenest", "knee", "best, within 0.01"]


def test_a_notebook_shows_a_table(front: Front) -> None:
    """A row for each member, below a heading."""
    page = html(front)
    assert page.count("<tr>") == 4
    assert re.findall(r"<td>(\w*)</td><td>ridge</td><td>([\d.]+)</td>", page) == [("0", "0.500")]
    assert "<caption>r2 against gCO2eq</caption>" in page


def test_a_name_is_shown_as_it_is_written() -> None:
    """And is no markup."""
    page = html(Front(view_of(run_of(trial(0, 0.5, 1.0, model="<b>x</b>")))))
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "<b>" not in page


def test_a_front_is_one_line_in_a_terminal(front: Front) -> None:
    """Its members by number and model."""
    assert repr(front) == "Front(0 ridge, 1 decision_tree, 2 xgboost)"


def test_a_front_is_drawn() -> None:
    """As the report draws it."""
    pytest.importorskip("matplotlib")
    (ax,) = Front(view_of(run_of(*FRONT))).plot().axes
    assert ax.get_xscale() == "log"


@pytest.fixture
def empty() -> Front:
    """A front without a member."""
    return Front(view_of(run_of(*FRONT, rules={"min_score": 0.99})))


def test_an_empty_front_has_a_table_without_rows(empty: Front) -> None:
    """And nothing to recommend."""
    assert (len(empty), empty.knee, repr(empty)) == (0, None, "Front()")
    assert html(empty).count("<tr>") == 1


def test_an_empty_front_is_a_frame_without_rows(empty: Front) -> None:
    """With its columns."""
    assert empty.to_frame().empty


def test_an_empty_front_is_drawn_without_members(empty: Front) -> None:
    """All other trials are there."""
    pytest.importorskip("matplotlib")
    assert empty.plot().axes


def test_a_front_has_a_picture(front: Front) -> None:
    """Members are larger dots than trials; it names its axes, and an empty front has none."""
    page = html(front)
    assert page.count('r="5"') == 3
    assert "against the logarithm of grams" in page
    assert "<svg" not in html(Front(view_of(run_of(trial(0, None, 1.0, state="failed")))))


def test_a_run_shows_what_to_take() -> None:
    """In plain words, above its front; before there is a front, why there is none."""
    page = run_html(RunFolder(finished_run("regression").path))
    assert "<li>The greenest good one" in page
    assert page.count("<table>") == 1
    assert "holds no run" in run_html(RunFolder(Path("nowhere")))
    assert repr(finished_run("regression")).startswith("Run('")
    assert "<li>The greenest good one" in finished_run("regression")._repr_html_()


def test_a_member_is_named_in_a_line(front: Front) -> None:
    """Not by everything that is known of it."""
    assert repr(front[1]) == "<FrontMember trial 1 decision_tree: validation=0.800, test=0.700, carbon_g=2>"


def test_the_picture_has_its_smallest_and_largest_values_at_its_axes(front: Front) -> None:
    """Scores and grams."""
    words = re.findall(r"<text[^>]*>([^<]*)</text>", html(front))
    assert words == ["0.900", "0.500", "r2", "1 g", "100 g", "gCO2eq"]
