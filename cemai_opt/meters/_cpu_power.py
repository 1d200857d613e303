"""Watts of one busy hardware thread, from CodeCarbon's table of thermal design powers."""

from __future__ import annotations

import csv
import os
import platform
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

UNKNOWN_W = 4.0
"""Watts per thread where the model is unknown: CodeCarbon's own default of 85 W, over about 20 threads."""
SUSTAINED_SHARE = 0.9
"""A processor under full load draws about this share of its thermal design power."""


@dataclass(frozen=True)
class ThreadPower:
    """Watts that one busy hardware thread adds, and in words where the figure comes from."""

    watts: float
    origin: str


@cache
def thread_power() -> ThreadPower:
    """Watts per busy hardware thread of this machine.

    A virtual machine shows only some of its host's threads, so a table entry for the whole processor cannot be divided
    by what is visible; there, and where the table lacks the model, `UNKNOWN_W` stands.
    """
    model = cpu_model()
    if is_virtual():
        return ThreadPower(UNKNOWN_W, f"{UNKNOWN_W:g} W/thread, virtual CPU ({model})")
    tdp_w = _tdp_table().get(_key(model))
    if tdp_w is None:
        return ThreadPower(UNKNOWN_W, f"{UNKNOWN_W:g} W/thread, no TDP known for {model}")
    watts = SUSTAINED_SHARE * tdp_w / (os.cpu_count() or 1)
    return ThreadPower(watts, f"{watts:.2f} W/thread, TDP {tdp_w:g} W of {model}")


@cache
def cpu_model() -> str:
    """Name of the processor as the system gives it."""
    match = re.search(r"^model name\s*:\s*(.+)$", _cpuinfo(), re.MULTILINE)
    return match.group(1).strip() if match else platform.processor() or platform.machine()


def is_virtual() -> bool:
    """Does a hypervisor stand between this system and the processor?"""
    return bool(re.search(r"^flags\s*:.*\bhypervisor\b", _cpuinfo(), re.MULTILINE))


@cache
def _cpuinfo() -> str:
    path = Path("/proc/cpuinfo")
    return path.read_text() if path.exists() else ""


@cache
def _tdp_table() -> dict[str, float]:
    table = resources.files("codecarbon") / "data" / "hardware" / "cpu_power.csv"
    with table.open(encoding="utf-8") as stream:
        return {_key(row["Name"]): float(row["TDP"]) for row in csv.DictReader(stream)}


def _key(model: str) -> str:
    """A processor's name without marks and clock rate, in lower case."""
    name = re.sub(r"\(r\)|\(tm\)|\bcpu\b|\bprocessor\b|@.*$|\d+-core", "", model, flags=re.IGNORECASE)
    return " ".join(name.lower().split())
