"""The front in a terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

from cemai_opt.core.ledger_entry import LedgerEntry
from cemai_opt.core.study import ObjectiveSpec
from cemai_opt.report.tables import MAX_FAMILIES, front_table, ledger_line, legend
from cemai_opt.runs.front import RunFront
from cemai_opt.testing.searches import study_of
from tests.results import FRONT, J_PER_G, averaged, confirmed, run_of, trial


def lines_of(front: RunFront) -> list[str]:
    """The table as a terminal of 80 columns shows it."""
    console = Console(width=80, no_color=True)
    with console.capture() as capture:
        console.print(front_table(front))
    return capture.get().splitlines()


def test_a_table_has_a_line_for_each_member_and_for_the_baseline() -> None:
    """Greenest first."""
    lines = lines_of(run_of(*FRONT, baseline=3).front)
    assert [line.split()[0] for line in lines] == ["trial", "0", "1", "2", "3"]
    assert lines[0].split() == ["trial", "model", "valid", "+-", "test", "gCO2eq", "+-"]
    assert lines[4].split()[-1] == "untuned"


def test_a_long_name_with_its_marks_fits_into_eighty_columns() -> None:
    """Numbers are never cut off; marks wrap."""
    long = {"model": "gradient_boosting", "uncertainty_g": 12.3e-6}
    grams = (1e-6, 50e-6, 123.456e-6, 124e-6)
    results = [confirmed(100 + i, 0.1 + 0.2 * i, g, error=0.01, foreign_load=0.9, **long) for i, g in enumerate(grams)]
    lines = lines_of(run_of(*results).front)
    assert max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    assert "103 gradient_boosting 0.700 .010 - 124 ug 12.3 ug ~ ! best, within 0.01" in text


def test_a_legend_explains_the_marks_that_are_there() -> None:
    """And no others."""
    assert legend(run_of(*FRONT).front) == "r2 on validation and test rows; grams: one run of all stages"
    close = [trial(0, 0.5, 1.0, uncertainty_g=0.1, foreign_load=0.9), trial(1, 0.6, 1.05)]
    explained = legend(run_of(*close, baseline=0).front).splitlines()
    assert [line.split()[0] for line in explained] == ["r2", "untuned:", "~", "!"]


def test_an_average_has_a_row_and_an_explanation() -> None:
    """Its parts in place of a trial number."""
    front = run_of(*FRONT, average=averaged(0.05)).front
    assert any("average" in line and "= 0.25 x 0 + 0.75 x 1" in line and "-1" not in line for line in lines_of(front))
    assert "average: the weighted mean" in legend(front)


def test_a_legend_says_what_the_grams_are_of() -> None:
    """Those of predictions have another unit."""
    study = study_of().model_copy(update={"objective": ObjectiveSpec(of="inference")})
    results = [trial(0, 0.5, 1.0, inference=FRONT[0].cost.rows[0])]
    assert "grams: gCO2eq per 1,000 predictions" in legend(replace(run_of(*results), study=study).front)


def test_the_spending_is_told_by_entry_and_for_the_dearest_families() -> None:
    """Grams of the driver are part of the whole."""
    spent = [LedgerEntry(entry="driver", energy_j=0.5 * J_PER_G)] + [
        LedgerEntry(entry="complete", model=name, stage="train", energy_j=grams * J_PER_G)
        for name, grams in (("ridge", 1.0), ("cnn", 4.0), ("lstm", 3.0), ("dnn", 2.0))
    ]
    line = ledger_line(run_of(*FRONT, spent=spent))
    assert line == (
        "the search spent 10.5 g CO2eq: driver 500 mg, complete 10 g; most expensive families: cnn 4 g, lstm 3 g, "
        "dnn 2 g"
    )
    assert MAX_FAMILIES == 3


@pytest.mark.parametrize("baseline", [None, 0])
def test_an_empty_front_is_a_heading(baseline: int | None) -> None:
    """With the baseline, if there is one."""
    constrained = run_of(*FRONT, rules={"min_score": 0.99}, baseline=baseline).front
    assert len(lines_of(constrained)) == (1 if baseline is None else 2)
