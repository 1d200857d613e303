"""NVML over a library that follows the real one's calls."""

from __future__ import annotations

import os

import pytest

from cemai_opt.core.errors import MeterError
from cemai_opt.meters.nvml import Nvml
from cemai_opt.testing.hardware import FakeNvml, Process


def open_nvml(library: FakeNvml, **options: object) -> Nvml:
    """The real meter over the stand-in."""
    return Nvml(library=library, **options)  # type: ignore[arg-type]  # a stand-in


def test_millijoules_become_joules() -> None:
    """The difference of the counter, in joules, on a device of its own name."""
    library = FakeNvml()
    meter = open_nvml(library)
    with meter.window() as window:
        library.energy_mj += 2_500
    assert window.energy_j == pytest.approx(2.5)
    assert meter.device == "gpu0"
    assert "Fake GPU, energy counter, whole device" in meter.source


def test_before_volta_power_is_integrated_and_flagged() -> None:
    """100 W for 3 s are 300 J, and the source says that no counter was read."""
    now = [0.0]
    library = FakeNvml(has_counter=False)
    meter = open_nvml(library, clock=lambda: now[0])
    with meter.window() as window:
        now[0] += 3.0
    assert window.energy_j == pytest.approx(300.0)
    assert "power integrated" in meter.source


def test_a_shared_device_is_split_by_use_and_flagged() -> None:
    """Three quarters of the streaming multiprocessors, three quarters of the energy."""
    library = FakeNvml()
    meter = open_nvml(library)
    library.processes = [Process(os.getpid(), 60), Process(1, 20)]
    with meter.window() as window:
        library.energy_mj += 4_000
        for process in library.processes:
            process.timeStamp += 1
    assert window.energy_j == pytest.approx(3.0)
    assert "shared" in meter.source


def test_a_gpu_that_tells_nothing_is_said() -> None:
    """Neither energy nor power: an error with a reason, never a zero."""
    blind = FakeNvml(has_counter=False, has_power=False)
    state = Nvml.availability(library=blind)  # type: ignore[arg-type]  # a stand-in
    assert not state.is_readable
    assert "Not Supported" in state.why
    with pytest.raises(MeterError, match="Not Supported"):
        open_nvml(blind)


def test_a_counter_that_stops_answering_stops_the_search() -> None:
    """A driver that goes away is an error at the next reading."""
    library = FakeNvml()
    meter = open_nvml(library)
    library.has_counter = False
    with pytest.raises(MeterError, match="cannot be read any more"):
        meter.read_j()
