"""Where joules are read: one source of energy a file."""

from cemai_opt.core.registry import Registry
from cemai_opt.meters._carbon_intensity import WORLD_G_PER_KWH, national_intensity
from cemai_opt.meters._choose import open_meters as _open_meters
from cemai_opt.meters._cpu_clock import process_tree_cpu_s
from cemai_opt.meters._cpu_power import cpu_model
from cemai_opt.meters._foreign_load import ForeignLoad
from cemai_opt.meters._meter import Availability, Meter, Window

METERS: Registry[Meter] = Registry("meter", __name__, Meter)


def open_meters(name: str = "auto", device: str = "cpu", threads: int = 1) -> tuple[Meter, ...]:
    """The CPU meter called `name` ("auto": the best readable), memory's, and the GPU's where `device` is "cuda"."""
    return _open_meters(METERS, name, device, threads)


__all__ = [
    "METERS",
    "WORLD_G_PER_KWH",
    "Availability",
    "ForeignLoad",
    "Meter",
    "Window",
    "cpu_model",
    "national_intensity",
    "open_meters",
    "process_tree_cpu_s",
]
