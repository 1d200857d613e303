"""CPU seconds of a process and all its descendants."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

from cemai_opt.meters import own_descendants, process_tree_cpu_s, tree_cpu_s, usable_threads
from cemai_opt.meters._cpu_clock import TICKS_PER_S, descendants, machine_busy_cpu_s, process_tree

BURN = "import time\nend = time.process_time() + {s}\nwhile time.process_time() < end: pass\n"
BUSY_THEN_WAITING = BURN.format(s=0.3) + "print(1, flush=True); input()"
NESTED = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {BUSY_THEN_WAITING!r}])\ninput()"


def burn(seconds: float) -> None:
    """Busy for some CPU time of this thread."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


@pytest.fixture
def child() -> Iterator[subprocess.Popen[str]]:
    """A child whose own child has just been busy for 0.3 s; both still live, in a session of their own."""
    command = [sys.executable, "-c", NESTED]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stdout.readline() == "1\n"
    yield child
    child.stdin.close()
    child.stdout.close()
    child.wait()


def test_waiting_costs_next_to_nothing() -> None:
    """Idle power belongs to the footprint."""
    start = process_tree_cpu_s()
    threading.Event().wait(0.1)
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
    subprocess.run([sys.executable, "-c", BURN.format(s=0.2)], check=True)
    assert process_tree_cpu_s() - start >= 0.2


def test_a_live_child_and_its_child_count(child: subprocess.Popen[str]) -> None:
    """Descendants that still run are charged for what they did so far, wherever they have moved."""
    assert tree_cpu_s(child.pid) >= 0.3 - 2 / TICKS_PER_S
    reaped = resource.getrusage(resource.RUSAGE_CHILDREN)
    live_s = process_tree_cpu_s() - time.process_time() - reaped.ru_utime - reaped.ru_stime
    assert live_s >= 0.3 - 3 / TICKS_PER_S


def test_descendants_are_those_that_live(child: subprocess.Popen[str]) -> None:
    """The child and its child, of this process as of any other."""
    (grandchild,) = descendants(child.pid)
    assert {child.pid, grandchild} <= set(own_descendants())
    assert process_tree()[0] == os.getpid()
    assert set(process_tree()[1:]) == set(own_descendants())
    assert psutil.Process(grandchild).ppid() == child.pid


def test_an_ended_process_has_no_descendants_and_no_seconds() -> None:
    """Instead of an error in between two readings."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert descendants(ended.pid) == []
    assert tree_cpu_s(ended.pid) == 0.0


def test_the_machine_is_busy_at_least_with_us() -> None:
    """In seconds, at the precision of kernel ticks."""
    start, own = machine_busy_cpu_s(), time.process_time()
    burn(0.1)
    assert machine_busy_cpu_s() - start >= time.process_time() - own - 0.05


def test_only_threads_that_this_process_may_use_count() -> None:
    """Where a container or a batch system gives fewer."""
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_threads() == 1
    finally:
        os.sched_setaffinity(0, before)
    assert usable_threads() == len(before)
