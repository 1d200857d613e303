"""The page that tests CEMAI's claims."""

from __future__ import annotations

import pytest

from benchmarks.cemai.__main__ import page
from benchmarks.cemai.claims import Row, feature_effects, greenest_adequate, largest_stages, slides, wrong_totals
from tests.runs.test_measured import record


def test_two_printed_totals_of_the_slides_are_not_the_sum_of_their_stages() -> None:
    """As anybody can check by hand."""
    assert {label: round(total, 4) for label, (total, _) in wrong_totals().items()} == {"XGB": 0.2726, "CNN": 6.4121}


def test_the_slides_themselves_do_not_say_that_evaluation_emits_most() -> None:
    """It is the largest stage in none of their rows."""
    stages = largest_stages(slides()[0])
    assert stages["evaluate"][0] == 0
    assert sum(n for n, _ in stages.values()) == 14


def test_effects_are_ratios_of_totals() -> None:
    """With features relative to without; few rows relative to all rows."""
    rows = [
        Row(label="DT", stages={"train": 3.0, "clean": 1.0}, score=0.5),
        Row(label="DT w/FE", stages={"train": 5.0, "clean": 1.0}, score=0.6),
        Row(label="DT w/FE 5%", stages={"train": 2.0, "clean": 1.0}, score=0.58),
    ]
    (effect,) = feature_effects(rows)
    assert (effect.ratio, effect.few_rows_ratio) == (1.5, 0.5)
    assert effect.score_gain == pytest.approx(0.1)
    assert greenest_adequate(rows).label == "DT w/FE 5%"


def test_the_page_has_every_claim_and_every_record() -> None:
    """From a record of one pipeline."""
    text = "\n".join(page([record(1.0, 2.0)]))
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert len(headings) == 6
    assert "| ridge |" in text
    assert "47.1%" in text  # the deviation of 1 and 2
