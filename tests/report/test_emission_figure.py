"""Emissions by stage as bars."""

from __future__ import annotations

from cemai_opt.report.emission_figure import emission_figure
from cemai_opt.report.emission_table import EmissionTable
from cemai_opt.runs.front_member import StageCost
from cemai_opt.runs.measured import EmissionRow


def test_bars_are_as_long_as_the_totals_and_all_shares_add_up() -> None:
    """One bar per pipeline in each panel; one that failed has none."""
    stages = {
        stage: StageCost(energy_j=g, carbon_g=g, uncertainty_g=0.0, duration_s=1.0)
        for stage, g in (("clean", 1.0), ("train", 3.0))
    }
    rows = [
        EmissionRow(label="DT", score=0.5, metrics={}, stages=stages, per_1000_g=None),
        EmissionRow(label="CNN", score=None, metrics={}, stages={}, per_1000_g=None, reason="no memory"),
    ]
    figure = emission_figure(EmissionTable(title="wear", score="r2", rows=rows))
    grams, shares = ([bar.get_width() for bar in ax.patches] for ax in figure.figure.axes)
    assert grams == [1.0, 0.0, 3.0, 0.0]
    assert shares == [25.0, 0.0, 75.0, 0.0]
    assert figure.file("png").startswith(b"\x89PNG")
