"""Watts of one busy hardware thread, from CodeCarbon's table of thermal design powers."""

from __future__ import annotations

import csv
import os
import platform
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cemai_opt.core.codecarbon_package import data_file

UNKNOWN_W = 4.0
"""Watts per thread if the model is unknown: CodeCarbon's default of 85 W, over about 20 threads."""
SUSTAINED_SHARE = 0.9
"""A processor under full load draws about this share of its thermal design power."""
TDP_ERROR = 0.5
"""Power per thread from a thermal design power: up to 40 % off a wall meter (arXiv 2509.22092), rounded up."""


CORES = {
    "E5-2686 v4": 18,
    "E5-2673 v4": 20,
    "Gold 6148": 20,
    "Platinum 8124M": 18,
    "Platinum 8171M": 26,
    "Platinum 8175M": 24,
    "Platinum 8259CL": 24,
    "Platinum 8272CL": 26,
    "Platinum 8370C": 32,
    "Platinum 8375C": 32,
    "Platinum 8488C": 48,
}
"""Cores of Intel processors common in clouds, whose names do not include the number (Intel's product pages)."""


@dataclass(frozen=True)
class ThreadPower:
    """Watts that one busy hardware thread adds, the origin of the figure in words, and its relative error."""

    watts: float
    origin: str
    error: float = TDP_ERROR


@cache
def thread_power() -> ThreadPower:
    """Watts per busy hardware thread of this machine, from its model name."""
    return power_of(cpu_model(), os.cpu_count() or 1, virtual=is_virtual())


def power_of(model: str, visible_threads: int, *, virtual: bool) -> ThreadPower:
    """Watts per busy hardware thread of a processor, from its thermal design power over its own number of threads.

    A virtual machine shows only some of its host's threads, so there the number must be known from the model itself;
    if it is not, or if the table lacks the model, `UNKNOWN_W` is used.

    >>> power_of("AMD EPYC 7763 64-Core Processor", 4, virtual=True).origin
    '1.97 W/thread, TDP 280 W over 128 threads of AMD EPYC 7763 64-Core Processor'
    >>> power_of("Intel(R) Xeon(R) Processor", 2, virtual=True).watts
    4.0
    """
    tdp_w, threads = _tdp_table().get(_key(model)), threads_of(model)
    if tdp_w is None:
        return ThreadPower(UNKNOWN_W, f"{UNKNOWN_W:g} W/thread, no TDP known of {model}")
    if threads is None and virtual:
        return ThreadPower(UNKNOWN_W, f"{UNKNOWN_W:g} W/thread, virtual part of {model}")
    threads = threads or visible_threads
    watts = SUSTAINED_SHARE * tdp_w / threads
    return ThreadPower(watts, f"{watts:.2f} W/thread, TDP {tdp_w:g} W over {threads} threads of {model}")


def threads_of(model: str) -> int | None:
    """Hardware threads of a processor, two per core, if its name or `CORES` gives the number of cores."""
    named = re.search(r"(\d+)-Core", model)
    if named:
        return 2 * int(named.group(1))
    cores = next((cores for name, cores in CORES.items() if name in model), None)
    return None if cores is None else 2 * cores


@cache
def cpu_model() -> str:
    """Name of the processor as the system gives it."""
    match = re.search(r"^model name\s*:\s*(.+)$", _cpuinfo(), re.MULTILINE)
    return match.group(1).strip() if match else platform.processor() or platform.machine()


def is_virtual() -> bool:
    """Whether this system runs under a hypervisor."""
    return bool(re.search(r"^flags\s*:.*\bhypervisor\b", _cpuinfo(), re.MULTILINE))


@cache
def _cpuinfo() -> str:
    path = Path("/proc/cpuinfo")
    return path.read_text() if path.exists() else ""


@cache
def _tdp_table() -> dict[str, float]:
    with data_file("hardware", "cpu_power.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return {_key(row["Name"]): float(row["TDP"]) for row in rows if re.fullmatch(r"\d+(\.\d+)?", row["TDP"])}


def _key(model: str) -> str:
    """A processor's name without trademarks and clock rate, in lower case."""
    name = re.sub(r"\(r\)|\(tm\)|\bcpu\b|\bprocessor\b|@.*$|\d+-core", "", model, flags=re.IGNORECASE)
    return " ".join(name.lower().split())
