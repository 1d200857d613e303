"""What every meter promises, on hardware that is there or a stand-in that is not."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cemai_opt.meters import METERS, Meter
from cemai_opt.testing.hardware import (
    FakeAmdGpus,
    FakeChip,
    FakeNvml,
    FakePerf,
    hwmon_tree,
    perf_tree,
    powercap_tree,
    trace_of,
)


def open_meter(name: str, folder: Path) -> Meter:
    """The meter itself, over a stand-in where its hardware is missing."""
    kind = METERS.find(name)
    if kind.availability().is_readable:
        return kind()
    stand_ins: dict[str, Callable[[], Meter]] = {
        "rapl": lambda: kind(root=powercap_tree(folder)),  # type: ignore[call-arg]  # rapl's own arguments
        "replay": lambda: kind(trace_of(folder)),  # type: ignore[call-arg]  # replay's own argument
        "nvml": lambda: kind(library=FakeNvml(counting=True)),  # type: ignore[call-arg]  # nvml's own arguments
        "rapl_perf": lambda: kind(perf_tree(folder), FakePerf(step=10**9)),  # type: ignore[call-arg]  # its own
        "hwmon": lambda: kind(hwmon_tree(folder)),  # type: ignore[call-arg]  # its own
        "command": lambda: kind("echo 50 W"),  # type: ignore[call-arg]  # its own
        "zeus_soc": lambda: kind(FakeChip(step_mj=3)),  # type: ignore[call-arg]  # its own
        "zeus_gpu": lambda: kind(FakeAmdGpus(counting=True), leases=False),  # type: ignore[call-arg]  # its own
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


@pytest.mark.parametrize("name", METERS.names)
def test_a_killed_child_does_not_make_readings_fall(name: str, tmp_path: Path) -> None:
    """What it burned until then moves from the live to the reaped, and stays counted."""
    import subprocess
    import sys

    meter = open_meter(name, tmp_path)
    start_j = meter.read_j()
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    time.sleep(0.3)
    alive_j = meter.read_j() - start_j
    child.kill()
    child.wait()
    assert meter.read_j() - start_j >= alive_j
    if name == "cpu_time":
        assert alive_j > 0


@pytest.mark.parametrize("name", METERS.names)
def test_threads_are_counted(name: str, tmp_path: Path) -> None:
    """Work in a thread counts as work in the main one does."""
    import threading

    meter = open_meter(name, tmp_path)
    with meter.window() as window:
        worker = threading.Thread(target=burn, args=(0.05,))
        worker.start()
        worker.join()
    assert window.energy_j >= 0
    if name == "cpu_time":
        assert window.energy_j > 0.04 * 1.0  # 50 ms at a watt or more
