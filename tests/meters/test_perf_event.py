"""perf_event_open, on an event that the kernel counts for every user."""

from __future__ import annotations

import platform
import time

import pytest

from cemai_opt.meters._perf_event import PerfEvent

SOFTWARE, CPU_CLOCK, UNKNOWN = 1, 0, 999


def test_the_cpu_clock_of_this_process_counts_nanoseconds() -> None:
    """Fifty milliseconds of work are fifty million counts or more."""
    try:
        event = PerfEvent(SOFTWARE, CPU_CLOCK, cpu=-1)
    except PermissionError as error:
        pytest.skip(f"this kernel refuses every perf event: {error}")
    before, end = event.read(), time.process_time() + 0.05
    while time.process_time() < end:
        pass
    assert 45e6 < event.read() - before < 5e9


def test_a_refused_event_is_an_error() -> None:
    """With the reason of the kernel."""
    with pytest.raises(OSError, match=r"\[Errno \d+\] \w+"):
        PerfEvent(UNKNOWN, UNKNOWN, cpu=0)


def test_an_unknown_machine_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the number of another machine's system call."""
    monkeypatch.setattr(platform, "machine", lambda: "vax")
    with pytest.raises(OSError, match="vax"):
        PerfEvent(SOFTWARE, CPU_CLOCK, cpu=-1)
