"""Joules of counters that all processes share."""

from __future__ import annotations

import math

import pytest

from cemai_opt.core.errors import MeterError
from cemai_opt.meters._shared_counters import Counter, SharedCounters
from tests.meters.conftest import HandClocks


class Reserve(Counter):
    """A counter that gives what it was given."""

    def __init__(self, lasts_s: float = math.inf) -> None:
        self.pending_j, self.lasts_s = 0.0, lasts_s

    def advance_j(self) -> float:
        """Joules since the last call."""
        joules, self.pending_j = self.pending_j, 0.0
        return joules


class Shared(SharedCounters):
    """The base class alone."""

    @classmethod
    def availability(cls):  # type: ignore[no-untyped-def]  # not asked here
        """Not asked."""


def meter_of(*counters: Counter, clocks: HandClocks, idle_w: float | None = None) -> SharedCounters:
    return Shared("shared", counters, clocks=clocks.readings, idle_w=idle_w)


def test_a_neighbour_pays_for_itself(clocks: HandClocks) -> None:
    """With a quarter of the busy CPU time goes a quarter of the energy."""
    counter = Reserve()
    meter = meter_of(counter, clocks=clocks)
    counter.pending_j, clocks.own_s, clocks.busy_s = 8.0, 1.0, 4.0
    assert meter.read_j() == pytest.approx(2.0)


def test_idle_power_is_nobodys_trial(clocks: HandClocks) -> None:
    """50 J in 2 s with 10 W idle leave 30 J to share out; a package that only idles charges nothing."""
    counter = Reserve()
    meter = meter_of(counter, clocks=clocks, idle_w=10.0)
    counter.pending_j, clocks.own_s, clocks.busy_s, clocks.now_s = 50.0, 1.0, 2.0, 2.0
    assert meter.read_j() == pytest.approx(15.0)
    counter.pending_j, clocks.own_s, clocks.busy_s, clocks.now_s = 10.0, 1.1, 2.2, 3.0
    assert meter.read_j() == pytest.approx(15.0)
    assert meter.drawn_j == pytest.approx(60.0)
    assert meter.attribution_text == "by CPU-time share, 10.0 W idle taken off"


def test_readings_closer_than_a_tick_do_not_charge_the_neighbours(clocks: HandClocks) -> None:
    """Seven busy neighbours, readings every 5 ms, a busy clock in ticks of 10 ms: an eighth, not the whole."""
    counter = Reserve()
    meter = meter_of(counter, clocks=clocks, idle_w=0.0)
    for _ in range(400):
        clocks.now_s += 0.005
        clocks.own_s += 0.005
        clocks.busy_s = int(clocks.now_s * 100 + 1e-9) / 100 * 8
        counter.pending_j = 1.0
        meter.read_j()
    assert meter.read_j() == pytest.approx(400 / 8, rel=0.1)


def test_several_counters_are_added(clocks: HandClocks) -> None:
    """Two sockets, or a processor and its memory."""
    first, second = Reserve(), Reserve()
    meter = meter_of(first, second, clocks=clocks)
    first.pending_j, second.pending_j = 1.0, 2.0
    clocks.alone(1.0)
    assert meter.read_j() == pytest.approx(3.0)


def test_no_counters_are_no_meter(clocks: HandClocks) -> None:
    """Never a zero."""
    with pytest.raises(MeterError, match="no readable energy counter for 'shared'"):
        meter_of(clocks=clocks)
