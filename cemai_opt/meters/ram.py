"""Estimates the energy of the memory that a pipeline uses while it computes."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Self

from cemai_opt.meters import _psutil_clock
from cemai_opt.meters._cpu_clock import HAS_PROC, descendants, own_descendants, process_tree_cpu_s, read_proc
from cemai_opt.meters._meter import Availability, Meter

W_PER_GB = 0.375
"""Watts per gigabyte: CodeCarbon's figure, 3 W for a module of 8 GB."""
BYTES_PER_GB = 1e9
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Ram(Meter):
    """Resident memory of the process tree, while it computes.

    Energy is watts per gigabyte x gigabytes x active time. Active time is CPU seconds over threads, not wall time,
    which would increase with foreign load. Gigabytes are those resident in addition to what the process held when the
    run began (libraries, the data set), so that a cost does not depend on what ran before; between two readings, their
    mean is used. Memory allocated and freed between two readings is not counted.
    """

    kind = "ram"
    rank = 20
    attribution = 0.1
    """Allocators keep freed memory, so resident memory is not exactly the memory in use."""
    model_error = 0.5

    def __init__(
        self,
        threads: int = 1,
        clock: Callable[[], float] = process_tree_cpu_s,
        *,
        resident_bytes: Callable[[], int] | None = None,
    ) -> None:
        self.device = "ram"
        self._threads, self._clock = threads, clock
        self._resident_bytes = resident_bytes or process_tree_bytes
        self._lock = threading.Lock()
        self._last_s, self._charged_j = clock(), 0.0
        self._floor_bytes = self._last_bytes = self._resident_bytes()

    @classmethod
    def availability(cls) -> Availability:
        """Always readable, because every system accounts for resident memory."""
        return Availability(True)

    @classmethod
    def opened(cls, threads: int) -> Self:
        """The meter for trials with this number of threads."""
        return cls(threads)

    @property
    def source(self) -> str:
        """The power per gigabyte."""
        return f"ram: {W_PER_GB:g} W/GB taken by the run"

    def begin_run(self) -> None:
        """Sets the baseline to the memory that is resident now."""
        with self._lock:
            self._floor_bytes = self._resident_bytes()

    def _read_j(self) -> float:
        with self._lock:
            now_s, now_bytes = self._clock(), self._resident_bytes()
            held_gb = max(0.0, (now_bytes + self._last_bytes) / 2 - self._floor_bytes) / BYTES_PER_GB
            active_s = max(0.0, now_s - self._last_s) / self._threads
            self._charged_j += W_PER_GB * held_gb * active_s
            self._last_s, self._last_bytes = now_s, now_bytes
            return self._charged_j


def process_tree_bytes() -> int:
    """Resident bytes of this process and its live descendants."""
    return own_bytes() + sum(_resident_bytes(pid) for pid in own_descendants())


def anonymous_bytes(pid: int) -> int:
    """Resident bytes of a process and its live descendants that are not mapped from files; shared memory counts."""
    return sum(_anonymous_bytes(one) for one in (pid, *descendants(pid)))


def own_bytes() -> int:
    """Resident bytes of this process, from a file that stays open: proc(5), `statm`, second field."""
    if not HAS_PROC:
        return _psutil_clock.resident_bytes(os.getpid())
    return int(os.pread(_own_statm(os.getpid()), 64, 0).split()[1]) * PAGE_BYTES


@lru_cache(maxsize=1)
def _own_statm(pid: int) -> int:
    """A descriptor of this process's `statm`; a forked child opens its own."""
    return os.open(f"/proc/{pid}/statm", os.O_RDONLY | os.O_CLOEXEC)


def _anonymous_bytes(pid: int) -> int:
    try:
        lines = read_proc(f"/proc/{pid}/status").splitlines()
    except OSError:  # it ended
        return 0
    fields = dict(line.split(b":", 1) for line in lines if line.startswith((b"RssAnon:", b"RssShmem:")))
    return sum(1024 * int(value.split()[0]) for value in fields.values())  # kB: proc(5)


def _resident_bytes(pid: int) -> int:
    if not HAS_PROC:
        return _psutil_clock.resident_bytes(pid)
    try:
        return int(read_proc(f"/proc/{pid}/statm").split()[1]) * PAGE_BYTES
    except OSError:  # it ended
        return 0
