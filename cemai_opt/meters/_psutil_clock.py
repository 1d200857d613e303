"""CPU seconds and memory of processes by the library psutil: for systems without /proc (macOS, Windows).

Coarser than /proc, and blind to descendants that have ended: trials must run in this process there. The library is
imported when it is needed, because that takes 20 ms and Linux does without.
"""

from __future__ import annotations


def process_cpu_s(pid: int) -> float:
    """CPU seconds of a live process; 0 if it has ended."""
    import psutil

    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def children(pid: int) -> list[int]:
    """Live children of a process; none if it has ended."""
    import psutil

    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.Error:
        return []


def machine_cpu_s() -> float:
    """CPU seconds of all processes of the machine since its start."""
    import psutil

    times = psutil.cpu_times()
    return float(sum(getattr(times, field, 0.0) for field in ("user", "nice", "system", "irq", "softirq")))


def resident_bytes(pid: int) -> int:
    """Resident bytes of a live process; 0 if it has ended."""
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
