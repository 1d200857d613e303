"""The figures of a run for the dashboard."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from cemai_opt.core.measurement import Cost
from cemai_opt.report.figures import family_colors
from cemai_opt.report.plotly_figures import plotly_figures
from cemai_opt.runs import RunView
from tests.results import FRONT, averaged, run_of, trial, view_of


@pytest.fixture
def view() -> RunView:
    """A run with a point of a learning curve, and one member tested."""
    return view_of(run_of(*FRONT, trial(4, 0.45, 1.2, parent=1, spent=Cost()), finals={1: trial(1, 0.7, 2.0)}))


def traces(figure: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The parts of a figure by name."""
    return {trace["name"]: trace for trace in figure["data"]}


def test_figures_are_documents(view: RunView) -> None:
    """Without anything that JSON cannot hold; no member, no figure."""
    figures = plotly_figures(view)
    assert list(figures) == ["front", "hypervolume", "stages"]
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    empty = replace(view.front, members=(), knee_trial=None, payback=(), baseline=None)
    assert plotly_figures(replace(view, front=empty)) == {}


def test_every_trial_is_in_the_front_figure_once(view: RunView) -> None:
    """Complete ones, learning curves, members by family with their uncertainty, and test scores."""
    parts = traces(plotly_figures(view)["front"])
    assert list(parts) == ["complete", "learning curve", "front", "ridge", "decision_tree", "xgboost", "on test"]
    assert parts["complete"]["y"] == [0.5, 0.8, 0.9, 0.4]
    assert parts["learning curve"]["y"] == [0.45]
    assert parts["front"]["x"] == pytest.approx([1.0, 2.0, 100.0])
    assert parts["decision_tree"]["error_x"]["array"] == pytest.approx([0.1])
    assert (parts["on test"]["x"], parts["on test"]["y"]) == (pytest.approx([2.0]), [0.7])


def test_an_average_is_in_the_front_figure() -> None:
    """With its parts."""
    parts = traces(plotly_figures(view_of(run_of(*FRONT, average=averaged(0.05))))["front"])
    assert parts["average"]["text"][0].startswith("average (= 0.25 x 0 + 0.75 x 1)<br>validation 0.950, test 0.880")
    assert parts["on test"]["y"] == [0.88]


def test_a_member_says_what_it_is_when_pointed_at(view: RunView) -> None:
    """Its marks, scores and grams with their uncertainty."""
    parts = traces(plotly_figures(view)["front"])
    assert parts["decision_tree"]["text"] == [
        "trial 1 decision_tree (knee)<br>validation 0.800, test 0.700<br>2 +- 0.1 g"
    ]
    assert "test" not in parts["ridge"]["text"][0]


def test_the_front_has_a_logarithmic_axis_that_shows_all_members(view: RunView) -> None:
    """Below the worst test score, above the best."""
    layout = plotly_figures(view)["front"]["layout"]
    assert layout["xaxis"]["type"] == "log"
    low, high = layout["yaxis"]["range"]
    assert low < 0.5 < 0.9 < high


def test_colours_are_those_of_the_report(view: RunView) -> None:
    """A family looks the same in both."""
    parts = traces(plotly_figures(view)["front"])
    for family in ("ridge", "decision_tree", "xgboost"):
        assert parts[family]["marker"]["color"] == family_colors(view)[family]


def test_bars_of_stages_add_up_to_the_members(view: RunView) -> None:
    """Stacked, the greenest on top."""
    figure = plotly_figures(view)["stages"]
    totals = [sum(trace["x"][i] for trace in figure["data"]) for i in range(len(view.members))]
    assert totals == pytest.approx([member.carbon_g for member in view.members])
    assert figure["layout"]["barmode"] == "stack"
    assert figure["data"][0]["y"] == ["trial 0 ridge", "trial 1 decision_tree", "trial 2 xgboost"]


def test_hypervolume_is_that_of_the_run(view: RunView) -> None:
    """After each trial."""
    (trace,) = plotly_figures(view)["hypervolume"]["data"]
    assert list(zip(trace["x"], trace["y"], strict=True)) == view.hypervolume
