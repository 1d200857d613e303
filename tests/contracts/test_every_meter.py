"""What every meter promises, on hardware that is there or a stand-in that is not."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cemai_opt.meters import METERS, Meter
from tests.meters.stand_ins import FakeNvml, powercap_tree, trace_of


def open_meter(name: str, folder: Path) -> Meter:
    """The meter itself, over a stand-in where its hardware is missing."""
    kind = METERS.find(name)
    if kind.availability().is_readable:
        return kind()
    stand_ins: dict[str, Callable[[], Meter]] = {
        "rapl": lambda: kind(root=powercap_tree(folder)),  # type: ignore[call-arg]  # rapl's own arguments
        "replay": lambda: kind(trace_of(folder)),  # type: ignore[call-arg]  # replay's own argument
        "nvml": lambda: kind(library=FakeNvml(counting=True)),  # type: ignore[call-arg]  # nvml's own arguments
    }
    return stand_ins[name]()


def burn(seconds: float) -> None:
    """Busy for some CPU time."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


@pytest.mark.parametrize("name", METERS.names)
def test_readings_never_fall(name: str, tmp_path: Path) -> None:
    """A counter counts up."""
    meter = open_meter(name, tmp_path)
    readings = []
    for _ in range(5):
        burn(0.002)
        readings.append(meter.read_j())
    assert readings == sorted(readings)


@pytest.mark.parametrize("name", METERS.names)
def test_windows_back_to_back_add_up(name: str, tmp_path: Path) -> None:
    """Two windows inside a third one charge no more than the third."""
    meter = open_meter(name, tmp_path)
    with meter.window() as whole:
        with meter.window() as first:
            burn(0.01)
        with meter.window() as second:
            burn(0.01)
    assert 0 <= first.energy_j + second.energy_j <= whole.energy_j + 1e-9
    assert whole.uncertainty_j >= 0


@pytest.mark.parametrize("name", METERS.names)
def test_a_meter_says_what_it_reads(name: str, tmp_path: Path) -> None:
    """The source begins with the part's name; what cannot be read says why, and what would help."""
    meter = open_meter(name, tmp_path)
    assert meter.source.startswith(f"{name}: ")
    assert meter.device
    state = METERS.find(name).availability()
    assert state.is_readable or (state.why and state.remedy)
