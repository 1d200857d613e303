"""What a machine draws while it waits."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from cemai_opt.meters import keep_idle_watts, machine_idle, thread_power
from cemai_opt.meters._calibration import HOME
from cemai_opt.meters._cpu_power import SUSTAINED_SHARE
from cemai_opt.meters._idle import IDLE_SHARE, installed_gb
from cemai_opt.meters.ram import W_PER_GB


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of our own, without a calibration."""
    monkeypatch.setenv(HOME, str(tmp_path))


def test_without_a_measurement_a_share_of_the_design_power_is_assumed() -> None:
    """And said to be assumed; memory is added."""
    watts, source = machine_idle()
    tdp_w = thread_power().watts / SUSTAINED_SHARE * (os.cpu_count() or 1)
    assert watts == pytest.approx(IDLE_SHARE * tdp_w + W_PER_GB * installed_gb())
    assert "assumed 10% of TDP" in source
    assert "GPU" not in source


def test_measured_watts_take_the_place_of_assumed_ones() -> None:
    """Those of the GPU are added, once they are known."""
    keep_idle_watts({"rapl": 12.5})
    watts, source = machine_idle()
    assert watts == pytest.approx(12.5 + W_PER_GB * installed_gb())
    assert source.startswith("idle 12.5 W processor, measured, ")
    keep_idle_watts({"nvml": 55.0})
    with_gpu, source = machine_idle()
    assert with_gpu - watts == pytest.approx(55.0)
    assert source.endswith("55.0 W GPU, measured")


def test_an_instrument_of_the_whole_machine_shows_its_memory_and_gpu_too() -> None:
    """Which are not added again; a counter of the processor is preferred."""
    keep_idle_watts({"command": 61.0, "nvml": 55.0})
    assert machine_idle() == (61.0, "idle 61.0 W whole machine, measured")
    keep_idle_watts({"rapl_perf": 12.5})
    assert machine_idle()[1].startswith("idle 12.5 W processor, measured, ")


def test_all_memory_of_the_machine_counts() -> None:
    """In gigabytes of a billion bytes."""
    assert installed_gb() == pytest.approx(psutil.virtual_memory().total / 1e9)
