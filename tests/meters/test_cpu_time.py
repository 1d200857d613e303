"""CPU time of the process tree."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from cemai_opt.meters import process_tree_cpu_s
from cemai_opt.meters.cpu_time import CpuTime

BURN = "import time\nend = time.process_time() + {s}\nwhile time.process_time() < end: pass\n"


def burn(seconds: float) -> None:
    """Busy for some CPU time of this thread."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_watts_times_seconds() -> None:
    """10 W for 3 s are 30 J, with the attribution's uncertainty."""
    moments = iter([100.0, 103.0])
    meter = CpuTime(clock=lambda: next(moments), watts=10.0)
    with meter.window() as window:
        pass
    assert window.energy_j == pytest.approx(30.0)
    assert window.uncertainty_j == pytest.approx(0.6, rel=0.01)


def test_sleep_costs_next_to_nothing() -> None:
    """Waiting is not charged: idle power belongs to the footprint."""
    start = process_tree_cpu_s()
    time.sleep(0.2)
    assert process_tree_cpu_s() - start < 0.05


def test_threads_count() -> None:
    """Two busy threads are charged for both."""
    start = process_tree_cpu_s()
    threads = [threading.Thread(target=burn, args=(0.1,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert process_tree_cpu_s() - start == pytest.approx(0.2, rel=0.3)


def test_a_reaped_child_counts() -> None:
    """A child that came and went inside the window is charged."""
    start = process_tree_cpu_s()
    subprocess.run([sys.executable, "-c", BURN.format(s=0.3)], check=True)
    assert process_tree_cpu_s() - start >= 0.3


def test_a_live_child_and_its_child_count() -> None:
    """Descendants that still run are charged for what they did so far, and again nothing when they end."""
    nested = (
        f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {BURN.format(s=0.3) + 'input()'!r}])\ninput()"
    )
    start = process_tree_cpu_s()
    child = subprocess.Popen([sys.executable, "-c", nested], stdin=subprocess.PIPE, start_new_session=True)
    try:
        end = time.monotonic() + 20
        while process_tree_cpu_s() - start < 0.3 and time.monotonic() < end:
            time.sleep(0.05)
        assert process_tree_cpu_s() - start >= 0.3
    finally:
        assert child.stdin is not None
        child.stdin.close()
        child.wait()
