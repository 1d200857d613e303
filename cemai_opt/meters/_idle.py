"""The power of the machine when idle."""

from __future__ import annotations

import os

from cemai_opt.core.registry import Registry
from cemai_opt.meters._calibration import idle_watts
from cemai_opt.meters._cpu_power import SUSTAINED_SHARE, thread_power
from cemai_opt.meters._meter import Meter
from cemai_opt.meters._shared_counters import SharedCounters
from cemai_opt.meters.ram import BYTES_PER_GB, W_PER_GB

IDLE_SHARE = 0.1
"""Idle power of a processor as a share of its thermal design power: the minimum of CodeCarbon's load model."""


def machine_idle(registry: Registry[Meter]) -> tuple[float, str]:
    """Idle watts of processor, memory and GPU, and whether `doctor --calibrate` measured them or they are assumed."""
    measured = _measured(registry)
    if measured is not None:
        kind, cpu_w = measured
        cpu, covers = f"{cpu_w:.1f} W {kind.whose_idle}, measured", kind.covers
    else:
        cpu_w = IDLE_SHARE * thread_power().watts / SUSTAINED_SHARE * (os.cpu_count() or 1)
        cpu, covers = f"{cpu_w:.1f} W processor, assumed {IDLE_SHARE:.0%} of TDP", frozenset[str]()
    ram_w = 0.0 if "ram" in covers else W_PER_GB * installed_gb()
    gpu_w = 0.0 if "gpu" in covers else idle_watts("nvml") or 0.0
    ram = f", {ram_w:.1f} W memory ({W_PER_GB:g} W/GB)" if ram_w else ""
    gpu = f", {gpu_w:.1f} W GPU, measured" if gpu_w else ""
    return cpu_w + ram_w + gpu_w, f"idle {cpu}{ram}{gpu}"


def calibratable(registry: Registry[Meter]) -> dict[str, type[SharedCounters]]:
    """The sources of which idle power can be measured, by name, best first, whether or not they are readable here."""
    kinds = {name: kind for name in registry.available() if issubclass(kind := registry.find(name), SharedCounters)}
    return dict(sorted(kinds.items(), key=lambda item: item[1].rank))


def _measured(registry: Registry[Meter]) -> tuple[type[SharedCounters], float] | None:
    """The best source with stored idle watts, and the watts."""
    for name, kind in calibratable(registry).items():
        watts = idle_watts(name)
        if watts is not None:
            return kind, watts
    return None


def installed_gb() -> float:
    """Gigabytes of memory of this machine."""
    import psutil  # 20 ms, which not every command needs

    return int(psutil.virtual_memory().total) / BYTES_PER_GB
