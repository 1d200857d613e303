"""Emissions by stage as text, CSV and LaTeX."""

from __future__ import annotations

import csv
import io

import pytest
from rich.console import Console

from cemai_opt.report.emission_table import EmissionTable
from cemai_opt.runs.front_member import StageCost
from cemai_opt.runs.measured import EmissionRow

STAGES = ("train", "profile", "overhead", "explain")


def row(label: str, factor: float = 1.0, **more: object) -> EmissionRow:
    """A pipeline whose stages cost 1, 2, 3 and 4 times `factor` milligrams."""
    stages = {
        stage: StageCost(energy_j=i * factor, carbon_g=1e-3 * i * factor, uncertainty_g=1e-5 * i, duration_s=0.1 * i)
        for i, stage in enumerate(STAGES, start=1)
    }
    fields: dict[str, object] = {"score": 0.9, "metrics": {"f1": 0.9, "balanced_accuracy": 0.8}, **more}
    return EmissionRow(label=label, stages=stages, per_1000_g=2e-6, **fields)  # type: ignore[arg-type]  # fields of a row


@pytest.fixture
def table() -> EmissionTable:
    """Two pipelines and one that failed."""
    failed = EmissionRow(label="CNN", score=None, metrics={}, stages={}, per_1000_g=None, reason="no memory")
    return EmissionTable(title="wear", score="f1", rows=[row("DT w/FE"), row("R_F", 1e-3), failed], notes=("how",))


def test_stages_come_in_the_order_of_a_pipeline_and_add_up(table: EmissionTable) -> None:
    """What was spent between them is the last column before the total."""
    assert table.stages == ["profile", "train", "explain", "overhead"]
    assert table.rows[0].total.carbon_g == pytest.approx(10e-3)
    assert table.scores == ["f1", "balanced_accuracy"]


def test_csv_has_all_digits(table: EmissionTable) -> None:
    """Stages sum to the total in every line."""
    lines = list(csv.DictReader(io.StringIO(table.csv())))
    assert [line["model"] for line in lines] == ["DT w/FE", "R_F", "CNN"]
    for line in lines[:2]:
        total = sum(float(line[f"{stage}_g"]) for stage in STAGES)
        assert float(line["total_g"]) == pytest.approx(total)
    assert (lines[0]["f1"], lines[0]["balanced_accuracy"], lines[2]["f1"]) == ("0.9", "0.8", "")
    assert lines[2]["reason"] == "no memory"


def test_latex_has_the_columns_of_the_slides(table: EmissionTable) -> None:
    """Every line has as many cells as the heading; what LaTeX reads as a command is escaped."""
    lines = table.latex().splitlines()
    assert "% how" in lines
    rows = [line for line in lines if line.endswith(r"\\")]
    assert rows[0] == r"Model & Profile & Train & Explain & Overhead & Total & f1 & balanced\_accuracy \\"
    assert len({line.count("&") for line in rows}) == 1
    assert rows[1].startswith(r"DT w/FE & 2 & 1 & 4 & 3 & 10 $\pm$ 0.1 & 0.900")
    assert rows[2].startswith(r"R\_F & 0.002")


def test_the_text_fits_a_terminal_of_80_columns() -> None:
    """With all ten stages and the longest label of the slides."""
    stages = [
        "profile",
        "clean",
        "featurize",
        "split",
        "scale",
        "sequentialize",
        "combine",
        "train",
        "evaluate",
        "explain",
        "overhead",
    ]
    cost = StageCost(energy_j=123.4, carbon_g=1.234e-4, uncertainty_g=1.2e-5, duration_s=98.7)
    wide = EmissionRow(
        label="LSTM w/FE", score=-10.8, metrics={"r2": -10.8}, stages=dict.fromkeys(stages, cost), per_1000_g=1.23e-6
    )
    console = Console(file=io.StringIO(), width=80)
    console.print(EmissionTable(title="wear", score="r2", rows=[wide]).text())
    text = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    assert "…" not in text
    assert text.count("123u") == 11
    assert "-10.800" in text
    scores = {"f1": 0.801, "balanced_accuracy": 0.802, "average_precision": 0.803}
    classes = EmissionRow(label="LSTM w/FE 5%", score=0.801, metrics=scores, stages={"train": cost}, per_1000_g=1.23e-6)
    console = Console(file=io.StringIO(), width=80)
    console.print(EmissionTable(title="wear", score="f1", rows=[classes]).text())
    shown = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    assert "…" not in shown
    assert "av prec" in shown
