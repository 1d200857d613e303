"""What a run will take is foretold, and judged afterwards."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cemai_opt.compose import prepare
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.runs.forecast import (
    CPU_S,
    RECORDED_VALUES,
    Forecast,
    Interval,
    peak_memory_bytes,
    slowness_here,
    trained_values,
)
from tests.conftest import Cli, wear_study


@pytest.fixture
def study(wear_csv: Path) -> ResolvedStudy:
    """The twelve tools, three folds."""
    return prepare(wear_study(wear_csv, split={"folds": 3})).study


def test_more_rows_and_trials_take_more(study: ResolvedStudy) -> None:
    """Of everything, and every interval surrounds what is expected."""
    small, large = Forecast.of(study, (1_000, 10)), Forecast.of(study, (100_000, 10))
    for one, other in zip((small.carbon_g, small.duration_s), (large.carbon_g, large.duration_s), strict=True):
        assert one.low < one.expected < one.high < other.high
    assert small.memory_bytes.expected < large.memory_bytes.expected
    assert small.values == trained_values(study, (1_000, 10)) == 30_000
    assert "no data of this size" in Forecast.of(study, (RECORDED_VALUES[1], 10)).text
    assert "no data of this size" not in small.text


def test_a_slow_machine_takes_more_time_and_joules(study: ResolvedStudy) -> None:
    """But no more memory."""
    one, other = Forecast.of(study, (1_000, 10)), Forecast.of(study, (1_000, 10), slowness=2.0)
    assert other.carbon_g == one.carbon_g.scaled(2.0)
    assert other.duration_s == one.duration_s.scaled(2.0)
    assert other.memory_bytes == one.memory_bytes
    assert slowness_here() > 0.0


def test_workers_share_the_trials_but_not_the_driver(study: ResolvedStudy) -> None:
    """Two of them take the same grams, more than half of the time, and more memory."""
    two = study.model_copy(update={"engine": study.engine.model_copy(update={"workers": 2})})
    one, both = Forecast.of(study, (50_000, 10)), Forecast.of(two, (50_000, 10))
    assert both.carbon_g == one.carbon_g
    assert 0.5 * one.duration_s.expected < both.duration_s.expected < one.duration_s.expected
    assert both.memory_bytes.expected > one.memory_bytes.expected


def test_a_budget_and_a_time_limit_are_the_most(study: ResolvedStudy) -> None:
    """Nothing above them is foretold."""
    limits = {"budget_g": 0.001, "timeout_s": 2.0}
    limited = Forecast.of(study.model_copy(update={"search": study.search.model_copy(update=limits)}), (100_000, 10))
    assert limited.carbon_g == Interval(expected=0.001, low=0.001, high=0.001)
    assert limited.duration_s.high <= 2.0


def test_a_run_is_compared_with_its_forecast(study: ResolvedStudy) -> None:
    """In words: below, inside or above."""
    forecast = Forecast.of(study, (1_000, 10))
    text = forecast.compared(
        carbon_g=forecast.carbon_g.low / 2, duration_s=forecast.duration_s.expected, memory_bytes=1e12
    )
    assert re.findall(r"\((below|inside|above) ", text) == ["below", "inside", "above"]
    assert CPU_S.factor > 1.0
    assert peak_memory_bytes(study) > 50_000_000


def test_a_dry_run_foretells_and_writes_nothing(cli: Cli, wear_csv: Path, tmp_path: Path) -> None:
    """In words and as JSON; the run itself says how right it was."""
    command = ["optimize", "--data", wear_csv, "--target", "tool_wear", "--group", "run", "--space", "quick"]
    dry = cli(*command, "--trials", 5, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert dry.stdout.startswith("forecast for 5 trials: ")
    document = json.loads(cli(*command, "--trials", 5, "--dry-run", "--json").stdout)
    assert document["carbon_g"]["low"] < document["carbon_g"]["expected"] < document["carbon_g"]["high"]
    assert not (tmp_path / "runs").exists()
    done = cli(*command, "--trials", 5, "--no-audit", "--confirm", 1)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stderr.split())
    assert "forecast for 5 trials: " in said
    assert "compared with its forecast, the run took " in said
    notes = json.loads((tmp_path / "runs" / "wear" / "summary.json").read_text())["notes"]
    assert any(note.startswith("compared with its forecast") for note in notes)
