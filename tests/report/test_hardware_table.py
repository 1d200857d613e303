"""The same pipelines on several machines."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace

import pytest
from rich.console import Console

from cemai_opt.core.errors import StudyError
from cemai_opt.report.hardware_table import HardwareTable
from cemai_opt.runs.measured import MeasuredRecord
from tests.runs.test_measured import record

FRANCE = {"FRA": 56.0}


def shown(table: HardwareTable) -> str:
    """The table in a wide terminal."""
    console = Console(file=io.StringIO(), width=120)
    console.print(table.text())
    return str(console.file.getvalue())  # type: ignore[attr-defined]  # the StringIO above


@pytest.fixture
def records() -> list[MeasuredRecord]:
    """A laptop, and a server that needs three times as much."""
    return [record(2.0, label="laptop"), record(6.0, label="server")]


def test_ratios_have_the_uncertainty_of_both(records: list[MeasuredRecord]) -> None:
    """Relative uncertainties of independent machines add in quadrature."""
    table = HardwareTable.of(records, {})
    ratio = table.rows[0].ratio(1)
    assert ratio is not None
    assert ratio.value == pytest.approx(3.0)
    assert ratio.uncertainty == pytest.approx(3.0 * math.hypot(0.1 / 2.0, 0.1 / 6.0))
    assert "3 0.158" in " ".join(shown(table).split())


def test_grams_at_other_intensities_need_no_new_run(records: list[MeasuredRecord]) -> None:
    """Joules are stored; the machine's own intensity is not used."""
    table = HardwareTable.of(records, FRANCE)
    lines = list(csv.DictReader(io.StringIO(table.csv())))
    for line, source in zip(lines, records, strict=True):
        energy_j = source.pipelines[0].cost.energy_j
        assert float(line["carbon_g_FRA"]) == pytest.approx(energy_j / 3.6e6 * 56.0)
        assert float(line["energy_j"]) == pytest.approx(energy_j)
    assert "FRA (56)" in shown(table)
    assert "FRA (56)" in shown(HardwareTable.of(records[:1], FRANCE))


def test_latex_has_a_column_for_each_machine(records: list[MeasuredRecord]) -> None:
    """A dash where a pipeline was not measured there."""
    table = HardwareTable.of(records, {})
    assert r"Case study & Model & laptop & server \\" in table.latex()
    third = replace(record(1.0, label="third"), pipelines=())
    assert table.latex().count("$\\pm$") == 2
    assert " & -- " in HardwareTable.of([*records, third], {}).latex()


def test_what_does_not_belong_together_is_refused(records: list[MeasuredRecord]) -> None:
    """Other rows or another seed make another pipeline; a label names one machine."""
    for other in (replace(records[1], data="other"), replace(records[1], seed=1), replace(records[1], case="other")):
        with pytest.raises(StudyError, match="no pipeline in common"):
            HardwareTable.of([records[0], other], {})
    with pytest.raises(StudyError, match=r"two records of .* are labelled 'laptop'"):
        HardwareTable.of([records[0], replace(records[1], label="laptop")], {})


def test_other_scores_are_said(records: list[MeasuredRecord]) -> None:
    """The same pipeline should have the same score everywhere; where it has not, one reads it."""
    other = replace(records[1], pipelines=(replace(records[1].pipelines[0], score=0.4),))
    assert any("scores from 0.400 to 0.500" in note for note in HardwareTable.of([records[0], other], {}).notes)
