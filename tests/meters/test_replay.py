"""A recorded study runs again without its hardware."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cemai_opt.core.errors import MeterError
from cemai_opt.meters.replay import TRACE, Replay
from cemai_opt.testing.hardware import trace_of
from tests.conftest import Cli


def test_readings_come_back_in_order_until_there_are_none(tmp_path: Path) -> None:
    """Another study asks for more than was recorded, and is told so."""
    meter = Replay(trace_of(tmp_path))
    assert [meter.read_j() for _ in range(3)] == [0.0, 0.1, 0.2]
    assert meter.peek_j() == 0.2
    for _ in range(97):
        meter.read_j()
    with pytest.raises(MeterError, match="no more readings"):
        meter.read_j()
    with pytest.raises(MeterError, match="cannot replay"):
        Replay(tmp_path / "nothing")


def test_a_trace_replaces_nothing_but_a_trace(cli: Cli, wear_csv: Path, tmp_path: Path) -> None:
    """The data of the study, for example."""
    kept = wear_csv.read_bytes()
    options = [
        "--target",
        "tool_wear",
        "--group",
        "run",
        "--space",
        "quick",
        "--trials",
        1,
        "--no-audit",
        "--no-report",
    ]
    done = cli("optimize", "--data", wear_csv, *options, "--record", wear_csv)
    assert done.returncode == 2
    assert "exists, and holds no trace" in done.stderr
    assert "Traceback" not in done.stderr
    assert wear_csv.read_bytes() == kept


def test_the_same_seed_and_trace_give_the_same_front(
    cli: Cli, wear_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NSGA-II looks at joules; with the joules of the first run it takes the same turns, to the last digit."""
    options = ["--target", "tool_wear", "--group", "run", "--space", "quick", "--no-audit", "--explain", "never"]
    command = ["optimize", "--data", wear_csv, *options, "--trials", 24]
    first = cli(*command, "--out", "first", "--record", "trace.txt")
    assert first.returncode == 0, first.stderr
    monkeypatch.setenv(TRACE, str(tmp_path / "trace.txt"))
    second = cli(*command, "--out", "second", "--meter", "replay")
    assert second.returncode == 0, second.stderr
    fronts = [json.loads((tmp_path / out / "front.json").read_text())["members"] for out in ("first", "second")]
    for one, other in zip(*fronts, strict=True):
        for key in ("trial", "config", "validation", "test", "carbon_g", "energy_j", "ties"):
            assert one[key] == other[key]
