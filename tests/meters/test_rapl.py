"""RAPL over a powercap tree in a temporary folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cemai_opt.core.errors import MeterError
from cemai_opt.meters.rapl import Rapl
from cemai_opt.testing.hardware import WRAP_UJ, advance, powercap_tree


class Clocks:
    """CPU seconds of this process and of the machine, moved by hand."""

    own_s, busy_s, now_s = 0.0, 0.0, 0.0

    def meter(self, root: Path, idle_w: float | None = None) -> Rapl:
        """A meter on these clocks."""
        return Rapl(root, lambda: self.own_s, busy_clock=lambda: self.busy_s, clock=lambda: self.now_s, idle_w=idle_w)


@pytest.fixture
def clocks() -> Clocks:
    """Fresh clocks."""
    return Clocks()


def test_packages_and_memory_are_counted_once(tmp_path: Path, clocks: Clocks) -> None:
    """Two packages with their memory; core, uncore, psys and mmio would count joules twice."""
    root = powercap_tree(tmp_path, packages=2)
    meter = clocks.meter(root)
    for zone in root.iterdir():
        advance(root, zone.name, step_uj=1_000_000)
    clocks.own_s = clocks.busy_s = 1.0
    assert meter.read_j() == pytest.approx(4.0)


def test_a_wrapped_counter_goes_on(tmp_path: Path, clocks: Clocks) -> None:
    """From the end of its range to just after zero is a small step."""
    root = powercap_tree(tmp_path, start_uj=WRAP_UJ - 1_000_000)
    meter = clocks.meter(root)
    advance(root, "intel-rapl:0", step_uj=3_000_000)
    clocks.own_s = clocks.busy_s = 1.0
    assert meter.read_j() == pytest.approx(3.0)


def test_a_neighbour_pays_for_itself(tmp_path: Path, clocks: Clocks) -> None:
    """With a quarter of the busy CPU time goes a quarter of the energy."""
    root = powercap_tree(tmp_path)
    meter = clocks.meter(root)
    advance(root, "intel-rapl:0", step_uj=8_000_000)
    clocks.own_s, clocks.busy_s = 1.0, 4.0
    assert meter.read_j() == pytest.approx(2.0)


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


def test_a_counter_that_vanishes_is_an_error(tmp_path: Path, clocks: Clocks) -> None:
    """A read that fails stops the measurement instead of adding nothing."""
    root = powercap_tree(tmp_path)
    meter = clocks.meter(root)
    (root / "intel-rapl:0" / "energy_uj").unlink()
    with pytest.raises(MeterError, match="intel-rapl:0"):
        meter.read_j()


def test_idle_power_is_nobodys_trial(tmp_path: Path, clocks: Clocks) -> None:
    """50 J in 2 s with 10 W idle leave 30 J to share out; a package that only idles charges nothing."""
    root = powercap_tree(tmp_path)
    meter = clocks.meter(root, idle_w=10.0)
    advance(root, "intel-rapl:0", step_uj=50_000_000)
    clocks.own_s, clocks.busy_s, clocks.now_s = 1.0, 2.0, 2.0
    assert meter.read_j() == pytest.approx(15.0)
    advance(root, "intel-rapl:0", step_uj=10_000_000)
    clocks.now_s, clocks.own_s, clocks.busy_s = 3.0, 1.1, 2.2
    assert meter.read_j() == pytest.approx(15.0)
    assert meter.drawn_j == pytest.approx(60.0)
    assert "10.0 W idle taken off" in meter.source


def test_memory_counters_cover_memory(tmp_path: Path, clocks: Clocks) -> None:
    """With DRAM zones no second source is charged for memory."""
    assert clocks.meter(powercap_tree(tmp_path)).covers == {"ram"}


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


def test_readings_closer_than_a_tick_do_not_charge_the_neighbours(tmp_path: Path, clocks: Clocks) -> None:
    """Seven busy neighbours, readings every 5 ms, a busy clock in ticks of 10 ms: an eighth, not the whole."""
    root = powercap_tree(tmp_path)
    meter = clocks.meter(root, idle_w=0.0)
    for _ in range(400):
        clocks.now_s += 0.005
        clocks.own_s += 0.005
        clocks.busy_s = int(clocks.now_s * 100 + 1e-9) / 100 * 8
        advance(root, "intel-rapl:0", step_uj=1_000_000)
        meter.read_j()
    assert meter.read_j() == pytest.approx(400 / 8, rel=0.1)
