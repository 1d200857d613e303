"""CPU seconds of this process with all its descendants, and of the whole machine."""

from __future__ import annotations

import os
import time

from cemai_opt.meters import _psutil_clock

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

TICKS_PER_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
PROC = "/proc"
HAS_PROC = os.path.exists(f"{PROC}/self/stat")
"""Whether the system accounts for processes as Linux does; elsewhere psutil is asked."""
MAX_BYTES = 65536
"""Longest file of /proc that is read: `children` of a thread with 8,000 children."""


def process_tree_cpu_s() -> float:
    """CPU seconds of own threads (nanosecond clock), and of reaped and live descendants (kernel accounting).

    A descendant that its parent has not reaped yet counts as live; when it is reaped, its seconds move to the reaped
    ones, so that the sum neither jumps nor decreases.
    """
    live = sum(_cpu_s(pid) for pid in own_descendants())
    return time.process_time() + _reaped_cpu_s() + live


def _reaped_cpu_s() -> float:
    """CPU seconds of descendants that have ended; 0 on Windows, which does not keep them."""
    if resource is None:
        return 0.0
    reaped = resource.getrusage(resource.RUSAGE_CHILDREN)
    return reaped.ru_utime + reaped.ru_stime


def tree_cpu_s(pid: int) -> float:
    """CPU seconds of any process with its descendants, dead and alive, at the resolution of kernel ticks."""
    return _cpu_s(pid) + sum(_cpu_s(descendant) for descendant in descendants(pid))


def process_tree() -> list[int]:
    """This process and its live descendants."""
    return [os.getpid(), *own_descendants()]


def own_descendants() -> list[int]:
    """Live descendants of this process; if it has none, a single system call without reading /proc."""
    return descendants(os.getpid()) if _has_children() else []


def _has_children() -> bool:
    """Whether this process has a child, alive or not yet reaped; does not reap any. True where it cannot be asked."""
    if not hasattr(os, "waitid"):
        return True
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def descendants(pid: int) -> list[int]:
    """Live children of a process, their children, and so on."""
    found = _children(pid)
    return found + [grandchild for child in found for grandchild in descendants(child)]


def _cpu_s(pid: int) -> float:
    """CPU seconds of a process and of the children that it has reaped; without the latter where there is no /proc."""
    if not HAS_PROC:
        return _psutil_clock.process_cpu_s(pid)
    try:
        fields = read_proc(f"{PROC}/{pid}/stat").rpartition(b")")[2].split()
    except OSError:  # it ended between the two reads, and counts as reaped by its parent now
        return 0.0
    return sum(int(ticks) for ticks in fields[11:15]) / TICKS_PER_S  # utime stime cutime cstime: proc(5)


def _children(pid: int) -> list[int]:
    """Direct children, started by any thread: proc(5), `/proc/pid/task/tid/children`."""
    if not HAS_PROC:
        return _psutil_clock.children(pid)
    children: list[int] = []
    try:
        for thread in os.listdir(f"{PROC}/{pid}/task"):
            children += [int(child) for child in read_proc(f"{PROC}/{pid}/task/{thread}/children").split()]
    except OSError:  # the process ended, or the kernel lacks CONFIG_PROC_CHILDREN
        pass
    return children


def read_proc(path: str) -> bytes:
    """A short file of /proc by three system calls: a driver reads several for every trial. OSError if it is gone."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, MAX_BYTES)
    finally:
        os.close(descriptor)


def machine_busy_cpu_s() -> float:
    """CPU seconds of all processes of the machine since its start: proc(5), the `cpu` line of `stat`."""
    if not HAS_PROC:
        return _psutil_clock.machine_cpu_s()
    line = read_proc(f"{PROC}/stat").split(b"\n", 1)[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq, *_ = (int(field) for field in line)
    return (user + nice + system + irq + softirq) / TICKS_PER_S


def usable_threads() -> int:
    """Hardware threads that this process may use; all of them if the system has no CPU affinity."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
