"""RAPL over a powercap tree in a temporary folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cemai_opt.core.errors import MeterError
from cemai_opt.meters.rapl import Rapl
from cemai_opt.testing.hardware import WRAP_UJ, advance, powercap_tree
from tests.meters.conftest import HandClocks


def test_packages_and_memory_are_counted_once(tmp_path: Path, clocks: HandClocks) -> None:
    """Two packages with their memory; core, uncore, psys and mmio would count joules twice."""
    root = powercap_tree(tmp_path, packages=2)
    meter = Rapl(root, clocks.readings)
    for zone in root.iterdir():
        advance(root, zone.name, step_uj=1_000_000)
    clocks.alone(1.0)
    assert meter.read_j() == pytest.approx(4.0)


def test_a_wrapped_counter_goes_on(tmp_path: Path, clocks: HandClocks) -> None:
    """From the end of its range to just after zero is a small step."""
    root = powercap_tree(tmp_path, start_uj=WRAP_UJ - 1_000_000)
    meter = Rapl(root, clocks.readings)
    advance(root, "intel-rapl:0", step_uj=3_000_000)
    clocks.alone(1.0)
    assert meter.read_j() == pytest.approx(3.0)


def test_what_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No tree: why and what would help. No permission: the command that grants it. Never a zero."""
    nowhere = Rapl.availability(tmp_path / "nothing")
    assert not nowhere.is_readable
    assert "virtual machine" in nowhere.why
    with pytest.raises(MeterError):
        Rapl(tmp_path / "nothing")
    root = powercap_tree(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    closed = Rapl.availability(root)
    assert "root only" in closed.why
    assert "chmod" in closed.remedy


def test_a_counter_that_vanishes_is_an_error(tmp_path: Path, clocks: HandClocks) -> None:
    """A read that fails stops the measurement instead of adding nothing."""
    root = powercap_tree(tmp_path)
    meter = Rapl(root, clocks.readings)
    (root / "intel-rapl:0" / "energy_uj").unlink()
    with pytest.raises(MeterError, match="intel-rapl:0"):
        meter.read_j()


def test_memory_counters_cover_memory(tmp_path: Path, clocks: HandClocks) -> None:
    """With DRAM zones no second source is charged for memory."""
    assert Rapl(powercap_tree(tmp_path), clocks.readings).covers == {"ram"}


def test_a_short_counter_is_read_before_it_wraps_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AMD's 32-bit counter of 65.7 kJ: a timer below the 41 s that 800 W need for half of it; Intel's needs none."""
    import threading

    waits: list[float] = []

    class Timer:
        daemon = False

        def __init__(self, wait_s: float, call: object) -> None:
            waits.append(wait_s)

        def start(self) -> None:
            """Does nothing."""

    monkeypatch.setattr(threading, "Timer", Timer)
    amd = powercap_tree(tmp_path / "amd", wrap_uj=65_712_999_613)
    Rapl(amd)
    assert waits == [pytest.approx(41.07, abs=0.1)]
    Rapl(powercap_tree(tmp_path / "intel", wrap_uj=1_000_000_000_000))
    assert len(waits) == 1
