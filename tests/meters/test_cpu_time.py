"""CPU time of the process tree."""

from __future__ import annotations

import pytest

from cemai_opt.meters import thread_power
from cemai_opt.meters.cpu_time import CpuTime


def test_watts_times_seconds() -> None:
    """10 W for 3 s are 30 J, with the attribution's uncertainty."""
    moments = iter([100.0, 103.0])
    meter = CpuTime(clock=lambda: next(moments), watts=10.0)
    with meter.window() as window:
        pass
    assert window.energy_j == pytest.approx(30.0)
    assert window.uncertainty_j == pytest.approx(0.6, rel=0.01)


def test_the_source_says_whose_time_and_which_power() -> None:
    """The power that was given, else that of this processor."""
    assert CpuTime(watts=10.0).source.endswith(", 10 W/thread, given")
    assert CpuTime().source.endswith(thread_power().origin)
    assert "process tree" in CpuTime().source or "control group" in CpuTime().source


def test_every_machine_can_read_it() -> None:
    """The last resort."""
    assert CpuTime.availability().is_readable
