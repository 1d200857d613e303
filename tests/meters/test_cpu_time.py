"""CPU time of the process tree."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cemai_opt.meters import process_tree_cpu_s
from cemai_opt.meters._cgroup import cgroup_cpu_s, own_cgroup
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


def test_a_control_group_of_ones_own_is_the_account(tmp_path: Path) -> None:
    """Where it holds this process tree alone; not where neighbours live in it, nor at the root."""
    import os

    group = tmp_path / "mount" / "mine"
    group.mkdir(parents=True)
    (group / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 2000000\n")
    membership = tmp_path / "cgroup"
    membership.write_text("1:cpu:/old\n0::/mine\n")

    def found(members: str) -> Path | None:
        (group / "cgroup.procs").write_text(members)
        return own_cgroup(tmp_path / "mount", membership)

    assert found(f"{os.getpid()}\n") == group
    assert cgroup_cpu_s(group) == 2.5
    assert found(f"{os.getpid()}\n1\n") is None
    membership.write_text("0::/\n")
    assert found(f"{os.getpid()}\n") is None
    assert own_cgroup(tmp_path / "mount", tmp_path / "nowhere") is None
