"""How precise a meter is on this machine."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cemai_opt.meters import Checkup, check_up, idle_power_w
from cemai_opt.meters import _checkup as checkup
from cemai_opt.meters.cpu_time import CpuTime
from cemai_opt.meters.rapl import Rapl
from cemai_opt.testing.hardware import advance, powercap_tree


@pytest.fixture(autouse=True)
def short_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less work than a user's, which takes four seconds."""
    monkeypatch.setattr(checkup, "WORK_S", {0.001: 3, 0.004: 2})


def rising(step_j: float) -> CpuTime:
    """A meter that counts the same joules in every window."""
    readings = iter(range(1000))
    return CpuTime(clock=lambda: float(next(readings)), watts=step_j)


def test_equal_joules_leave_the_uncertainty_that_the_meter_states() -> None:
    """Two percent by attribution, for every duration."""
    *measured, estimated = check_up(rising(5.0))
    assert [(row.work_s, row.n, row.mean_j) for row in measured] == [(0.001, 3, 5.0), (0.004, 2, 5.0)]
    for row in measured:
        assert row.uncertainty == pytest.approx(CpuTime.attribution, rel=0.01)
    assert estimated.n == 0


def test_the_longest_stage_is_estimated_from_the_one_before() -> None:
    """Its joules are in proportion; it is no more precise than what was measured."""
    *_, last, estimated = check_up(rising(5.0))
    assert estimated.work_s == checkup.LONG_S
    assert estimated.mean_j == pytest.approx(5.0 * checkup.LONG_S / last.work_s)
    assert estimated.uncertainty >= last.uncertainty


def test_a_spread_that_is_wider_than_stated_counts() -> None:
    """Readings tell more than promises."""
    readings = iter([0.0, 1.0, 1.0, 4.0, 4.0, 6.0, *range(6, 100)])
    first, *_ = check_up(CpuTime(clock=lambda: float(next(readings)), watts=1.0))
    assert (first.mean_j, first.uncertainty) == (2.0, pytest.approx(0.5))


def test_a_meter_that_counts_nothing_is_infinitely_uncertain() -> None:
    """And no division by zero."""
    rows = check_up(CpuTime(clock=lambda: 0.0, watts=1.0))
    assert [row.uncertainty for row in rows] == [float("inf")] * 3
    assert all(isinstance(row, Checkup) for row in rows)


def test_idle_power_is_what_is_drawn_asleep(tmp_path: Path) -> None:
    """Two joules over the time that the sleep has taken."""
    root = powercap_tree(tmp_path)
    slept_s = []

    def sleep(seconds: float) -> None:
        start_s = time.monotonic()
        advance(root, "intel-rapl:0", step_uj=2_000_000)
        slept_s.append(time.monotonic() - start_s)

    meter, start_s = Rapl(root), time.monotonic()
    watts, load = idle_power_w({"rapl": meter}, 60.0, sleep=sleep)
    assert slept_s[0] <= 2.0 / watts["rapl"] <= time.monotonic() - start_s
    assert 0.0 <= load <= 1.0
