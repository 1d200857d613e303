"""Where joules are read: one source of energy a file."""

from functools import cache

from cemai_opt.core.registry import Registry
from cemai_opt.meters._audit import Audit, AuditReading
from cemai_opt.meters._calibration import keep_idle_watts
from cemai_opt.meters._carbon_intensity import WORLD_G_PER_KWH, cloud_intensity, national_intensity
from cemai_opt.meters._checkup import Checkup, check_up, idle_power_w
from cemai_opt.meters._choose import open_meters as _open_meters
from cemai_opt.meters._cpu_clock import own_descendants, process_tree_cpu_s, tree_cpu_s
from cemai_opt.meters._cpu_power import cpu_model, thread_power
from cemai_opt.meters._foreign_load import ForeignLoad
from cemai_opt.meters._idle import machine_idle
from cemai_opt.meters._live_intensity import COMMAND, SAMPLE_EVERY_S, IntensitySeries, LiveIntensity
from cemai_opt.meters._meter import Availability, Meter, Window
from cemai_opt.meters.ram import anonymous_bytes
from cemai_opt.meters.replay import RECORD

METERS: Registry[Meter] = Registry("meter", __name__, Meter)


@cache
def open_meters(name: str = "auto", device: str = "cpu", threads: int = 1) -> tuple[Meter, ...]:
    """The CPU meter called `name` ("auto": the best readable), memory's, and the GPU's where `device` is "cuda".

    The same meters for the same question in one process: ledger and pipeline read one counter.
    """
    return _open_meters(METERS, name, device, threads)


__all__ = [
    "COMMAND",
    "METERS",
    "RECORD",
    "SAMPLE_EVERY_S",
    "WORLD_G_PER_KWH",
    "Audit",
    "AuditReading",
    "Availability",
    "Checkup",
    "ForeignLoad",
    "IntensitySeries",
    "LiveIntensity",
    "Meter",
    "Window",
    "anonymous_bytes",
    "check_up",
    "cloud_intensity",
    "cpu_model",
    "idle_power_w",
    "keep_idle_watts",
    "machine_idle",
    "national_intensity",
    "open_meters",
    "own_descendants",
    "process_tree_cpu_s",
    "thread_power",
    "tree_cpu_s",
]
