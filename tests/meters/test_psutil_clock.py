"""Processes by psutil, against /proc."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from cemai_opt.meters import _psutil_clock as by_psutil
from cemai_opt.meters._cpu_clock import HAS_PROC, machine_busy_cpu_s

NOBODY = 2**30


def test_cpu_time_and_memory_of_this_process() -> None:
    """As the process itself is told."""
    assert by_psutil.process_cpu_s(os.getpid()) == pytest.approx(time.process_time(), abs=0.2)
    assert by_psutil.resident_bytes(os.getpid()) > 1_000_000


def test_children_are_found_while_they_live() -> None:
    """And are nothing afterwards."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        assert by_psutil.children(os.getpid()).count(child.pid) == 1
    finally:
        child.kill()
        child.wait()
    assert child.pid not in by_psutil.children(os.getpid())


def test_a_process_that_has_ended_counts_nothing() -> None:
    """It ends between two calls at any time."""
    assert (by_psutil.process_cpu_s(NOBODY), by_psutil.resident_bytes(NOBODY)) == (0.0, 0)
    assert by_psutil.children(NOBODY) == []


@pytest.mark.skipif(not HAS_PROC, reason="there is no /proc to compare with")
def test_the_busy_time_of_the_machine_is_that_of_proc() -> None:
    """Within what passes between two calls."""
    assert by_psutil.machine_cpu_s() == pytest.approx(machine_busy_cpu_s(), abs=5.0)
