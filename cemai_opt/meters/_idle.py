"""The power of the machine when idle."""

from __future__ import annotations

import os
from pathlib import Path

from cemai_opt.meters._calibration import idle_watts
from cemai_opt.meters._cpu_power import SUSTAINED_SHARE, thread_power
from cemai_opt.meters.ram import BYTES_PER_GB, W_PER_GB

IDLE_SHARE = 0.1
"""Idle power of a processor as a share of its thermal design power: the minimum of CodeCarbon's load model."""


def machine_idle() -> tuple[float, str]:
    """Idle watts of processor, memory and GPU, and whether `doctor --calibrate` measured them or they are assumed."""
    threads = os.cpu_count() or 1
    measured_w = idle_watts("rapl")
    if measured_w is not None:
        cpu_w, cpu = measured_w, f"{measured_w:.1f} W processor, measured"
    else:
        cpu_w = IDLE_SHARE * thread_power().watts / SUSTAINED_SHARE * threads
        cpu = f"{cpu_w:.1f} W processor, assumed {IDLE_SHARE:.0%} of TDP"
    ram_w = W_PER_GB * installed_gb()
    gpu_w = idle_watts("nvml") or 0.0
    gpu = f", {gpu_w:.1f} W GPU, measured" if gpu_w else ""
    return cpu_w + ram_w + gpu_w, f"idle {cpu}, {ram_w:.1f} W memory ({W_PER_GB:g} W/GB){gpu}"


def installed_gb() -> float:
    """Gigabytes of memory of this machine; 0 if unknown."""
    path = Path("/proc/meminfo")
    if not path.exists():
        return 0.0
    total_kib = next(line.split()[1] for line in path.read_text().splitlines() if line.startswith("MemTotal:"))
    return int(total_kib) * 1024 / BYTES_PER_GB
