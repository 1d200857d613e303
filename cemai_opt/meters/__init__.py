"""Meters, which read joules: one energy source per file."""

from functools import cache

from cemai_opt.core.registry import Registry
from cemai_opt.meters._calibration import BY_WALL_METER, busy_thread, keep_idle_watts, keep_thread_watts
from cemai_opt.meters._checkup import Checkup, check_up, idle_power_w
from cemai_opt.meters._choose import open_meters as _open_meters
from cemai_opt.meters._cpu_clock import own_descendants, process_tree_cpu_s, tree_cpu_s, usable_threads
from cemai_opt.meters._cpu_power import cpu_model, thread_power
from cemai_opt.meters._diagnosis import Diagnosis, diagnosis_of
from cemai_opt.meters._foreign_load import ForeignLoad
from cemai_opt.meters._idle import calibratable as _calibratable
from cemai_opt.meters._idle import machine_idle as _machine_idle
from cemai_opt.meters._meter import Availability, Meter, Window
from cemai_opt.meters._shared_counters import SharedCounters
from cemai_opt.meters._speed import work_s
from cemai_opt.meters.ram import anonymous_bytes
from cemai_opt.meters.replay import RECORD

METERS: Registry[Meter] = Registry("meter", __name__, base=Meter)


@cache
def open_meters(name: str = "auto", device: str = "cpu", *, threads: int = 1) -> tuple[Meter, ...]:
    """The CPU meter `name` ("auto": the best readable), that of memory, and that of the GPU if `device` is "cuda".

    Cached per process, so that ledger and pipeline read the same counters.
    """
    return _open_meters(METERS, name, device=device, threads=threads)


def machine_idle() -> tuple[float, str]:
    """Idle watts of processor, memory and GPU, and whether `doctor --calibrate` measured them or they are assumed."""
    return _machine_idle(METERS)


def calibratable() -> dict[str, type[SharedCounters]]:
    """The sources of which idle power can be measured, by name, best first, whether or not they are readable here."""
    return _calibratable(METERS)


def diagnose() -> Diagnosis:
    """What can be measured on this machine, and how precisely; takes about five seconds of one core."""
    return diagnosis_of(METERS, open_meters())


__all__ = [
    "BY_WALL_METER",
    "METERS",
    "RECORD",
    "Availability",
    "Checkup",
    "Diagnosis",
    "ForeignLoad",
    "Meter",
    "SharedCounters",
    "Window",
    "anonymous_bytes",
    "busy_thread",
    "calibratable",
    "check_up",
    "cpu_model",
    "diagnose",
    "idle_power_w",
    "keep_idle_watts",
    "keep_thread_watts",
    "machine_idle",
    "open_meters",
    "own_descendants",
    "process_tree_cpu_s",
    "thread_power",
    "tree_cpu_s",
    "usable_threads",
    "work_s",
]
