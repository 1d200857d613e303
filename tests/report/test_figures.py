"""What the figures of a run show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cemai_opt.core.measurement import Cost
from cemai_opt.core.result import PRUNED
from cemai_opt.runs import RunView
from tests.results import FRONT, averaged, run_of, trial, view_of

pytest.importorskip("matplotlib")

from cemai_opt.report.figures import (  # needs matplotlib
    all_figures,
    family_colors,
    front_figure,
    hyperparameters_figure,
    hypervolume_figure,
    importances_figure,
    stages_figure,
)

EXPLAINED = {0: trial(0, 0.5, 1.0, importances={"force": 0.9}), 1: trial(1, 0.7, 2.0, importances={"force": 0.5})}


@pytest.fixture
def view() -> RunView:
    """A run with trials of all kinds."""
    more = (
        trial(4, 0.45, 1.2, parent=1, spent=Cost()),
        trial(5, None, 3.0, state=PRUNED),
        trial(6, -0.9, 5.0),
    )
    return view_of(run_of(*FRONT, *more, finals=EXPLAINED, baseline=3))


def texts(ax: Any) -> list[str]:
    """Words in the plot."""
    return [text.get_text() for text in ax.texts]


def test_the_front_shows_every_kind_of_trial_with_its_name(view: RunView) -> None:
    """Grams on a logarithmic axis, greenest on the left."""
    (ax,) = front_figure(view).figure.axes
    names = ax.get_legend_handles_labels()[1]
    assert set(names) == {
        "in the search",
        "untuned",
        "learning curve",
        "pruned",
        "test",
        "ridge",
        "decision_tree",
        "xgboost",
    }
    assert ax.get_xscale() == "log"
    left, right = ax.get_xlim()
    assert all(left < member.carbon_g < right for member in view.members)


def test_an_average_is_drawn_beside_the_front() -> None:
    """A star at the sum of the grams, and its test score."""
    (ax,) = front_figure(view_of(run_of(*FRONT, average=averaged(0.05)))).figure.axes
    lines = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    star = lines["average"].lines[0]
    assert (star.get_xdata()[0], star.get_ydata()[0]) == pytest.approx((3.0, 0.95))
    assert list(lines["test"].get_ydata()) == [0.88]
    assert ax.get_ylim()[1] > 0.95


def test_the_members_that_a_rule_picks_are_labelled(view: RunView) -> None:
    """With their numbers; the knee in bold."""
    (ax,) = front_figure(view).figure.axes
    assert texts(ax) == ["greenest (0)", "knee (1)", "best, within 0.01 (2)"]
    assert [text.get_weight() for text in ax.texts] == ["normal", "bold", "normal"]


def test_close_members_are_labelled_on_different_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last labelled one below on its right, also if a dearer member is on the front."""
    close = [trial(0, 0.5, 1.0), trial(1, 0.949, 20.0), trial(2, 0.95, 25.0), trial(3, 0.9501, 30.0)]
    view = view_of(run_of(*close))
    monkeypatch.setattr(type(view.front), "picks", property(lambda _: {1: "knee", 2: "best"}))
    (ax,) = front_figure(view).figure.axes
    assert [text.get_ha() for text in ax.texts] == ["right", "left"]


def test_a_trial_far_below_the_front_is_counted_instead_of_shown(view: RunView) -> None:
    """Else it would press the front together."""
    drawn = front_figure(view)
    assert drawn.title.startswith("Pareto front (1 trial scores below")
    assert drawn.figure.axes[0].get_ylim()[0] > -0.9


def test_the_front_is_told_in_words_too(view: RunView) -> None:
    """For who cannot see it."""
    assert front_figure(view).alt == (
        "3 front members from 1 g at r2 0.500 to 100 g at 0.900; the knee is trial 1 (decision_tree), 2 g at 0.800."
    )


def test_a_tie_is_a_band_over_the_grams_of_its_members() -> None:
    """One entry in the legend, however many there are."""
    grams = [1.0, 1.05, 9.0, 9.2]
    tied = view_of(run_of(*(trial(i, 0.5 + i / 10, g, uncertainty_g=0.1 * g) for i, g in enumerate(grams))))
    (ax,) = front_figure(tied).figure.axes
    bands = [patch for patch in ax.patches if patch.get_width() > 0]
    assert [(band.get_x(), band.get_x() + band.get_width()) for band in bands] == [
        pytest.approx((1.0, 1.05)),
        pytest.approx((9.0, 9.2)),
    ]
    assert ax.get_legend_handles_labels()[1].count("tie in grams") == 1


def test_stages_add_up_to_the_member_and_to_a_hundred_percent(view: RunView) -> None:
    """On the left in grams, on the right as shares."""
    figure = stages_figure(view)
    grams, shares = figure.figure.axes
    assert grams.yaxis_inverted()  # the greenest on top
    totals = [sum(bars[i].get_width() for bars in grams.containers) for i in range(len(view.members))]
    assert totals == pytest.approx([member.carbon_g for member in view.members])
    assert [sum(bars[i].get_width() for bars in shares.containers) for i in range(3)] == pytest.approx([100.0] * 3)
    assert figure.alt == "Stacked bars of 3 members by stage. The most expensive stage is train, 75%."


def test_hypervolume_is_drawn_against_what_was_spent(view: RunView) -> None:
    """And told from its first value to its last."""
    figure = hypervolume_figure(view)
    (line,) = figure.figure.axes[0].lines
    assert list(zip(*line.get_data(), strict=True)) == view.hypervolume
    first, (spent_g, last) = view.hypervolume[0][1], view.hypervolume[-1]
    assert figure.alt == f"Hypervolume rises from {first:.3f} to {last:.3f} for {spent_g:.0f} g."


def test_hyperparameters_are_axes_with_their_values(view: RunView) -> None:
    """A name on several lines; a line for each complete trial."""
    (ax,) = hyperparameters_figure(view).figure.axes
    assert [label.get_text() for label in ax.get_xticklabels()] == ["model", "size"]
    assert {"ridge", "xgboost", "decision\ntree"} <= set(texts(ax))
    n_axes, n_complete = 2, len(view.complete) + len(view.curve_candidates)
    assert len(ax.lines) == n_axes + n_complete


def test_importances_are_drawn_where_there_are_any(view: RunView) -> None:
    """A column for each member that was explained."""
    figure = importances_figure(view)
    assert figure is not None
    image = figure.figure.axes[0].images[0]
    assert image.get_array().tolist() == [[0.9, 0.5]]
    assert "force has the largest share" in figure.alt
    assert importances_figure(view_of(run_of(*FRONT))) is None


def test_a_run_has_the_figures_for_which_it_has_data(view: RunView) -> None:
    """Each under a name of its own; none without a member."""
    names = [figure.name for figure in all_figures(view)]
    assert names == ["front", "stages", "hypervolume", "hyperparameters", "importances"]
    empty = replace(view.front, members=(), knee_trial=None, payback=(), baseline=None)
    assert all_figures(replace(view, front=empty)) == []


def test_a_family_has_one_colour_in_all_figures(view: RunView) -> None:
    """And no two on the front have the same."""
    colors = family_colors(view)
    assert list(colors) == view.families
    assert len(set(colors.values())) == len(colors)


def test_names_are_no_formulas() -> None:
    """A column may be called anything: dollar signs are not the beginning of mathematics."""
    explained = {0: trial(0, 0.5, 1.0, importances={r"in $^$": 0.9, r"$\\frac{$": 0.1})}
    figure = importances_figure(view_of(run_of(*FRONT, finals=explained)))
    assert figure is not None
    assert "in $^$" in figure.svg()
