"""Meters, which read joules: one energy source per file."""

from functools import cache

from cemai_opt.core.registry import Registry
from cemai_opt.meters._calibration import keep_idle_watts
from cemai_opt.meters._checkup import Checkup, check_up, idle_power_w
from cemai_opt.meters._choose import open_meters as _open_meters
from cemai_opt.meters._cpu_clock import own_descendants, process_tree_cpu_s, tree_cpu_s, usable_threads
from cemai_opt.meters._cpu_power import cpu_model, thread_power
from cemai_opt.meters._diagnosis import Diagnosis, diagnosis_of
from cemai_opt.meters._foreign_load import ForeignLoad
from cemai_opt.meters._idle import machine_idle
from cemai_opt.meters._meter import Availability, Meter, Window
from cemai_opt.meters.ram import anonymous_bytes
from cemai_opt.meters.replay import RECORD

METERS: Registry[Meter] = Registry("meter", __name__, base=Meter)


@cache
def open_meters(name: str = "auto", device: str = "cpu", *, threads: int = 1) -> tuple[Meter, ...]:
    """The CPU meter `name` ("auto": the best readable), that of memory, and that of the GPU if `device` is "cuda".

    Cached per process, so that ledger and pipeline read the same counters.
    """
    return _open_meters(METERS, name, device=device, threads=threads)


def diagnose() -> Diagnosis:
    """What can be measured on this machine, and how precisely; takes about five seconds of one core."""
    return diagnosis_of(METERS, open_meters())


__all__ = [
    "METERS",
    "RECORD",
    "Availability",
    "Checkup",
    "Diagnosis",
    "ForeignLoad",
    "Meter",
    "Window",
    "anonymous_bytes",
    "check_up",
    "cpu_model",
    "diagnose",
    "idle_power_w",
    "keep_idle_watts",
    "machine_idle",
    "open_meters",
    "own_descendants",
    "process_tree_cpu_s",
    "thread_power",
    "tree_cpu_s",
    "usable_threads",
]
