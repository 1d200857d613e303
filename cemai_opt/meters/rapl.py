"""Reads the energy counters of the processor packages (RAPL) through Linux powercap."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cemai_opt.core.errors import MeterError
from cemai_opt.core.units import UJ_PER_J
from cemai_opt.meters._cpu_clock import machine_busy_cpu_s, process_tree_cpu_s
from cemai_opt.meters._meter import Availability, Meter

POWERCAP = Path("/sys/class/powercap")


@dataclass
class _Zone:
    """One counter; `max_uj` is where it wraps to zero."""

    energy_file: Path
    max_uj: int
    last_uj: int


class Rapl(Meter):
    """Processor package and memory counters, shared out by CPU time."""

    rank = 10
    resolution_s = 0.5
    """Kernel ticks of 10 ms make a share of CPU time coarse: 2 % of half a second."""
    attribution = 0.03
    model_error = 0.05

    def __init__(
        self,
        root: Path = POWERCAP,
        own_clock: Callable[[], float] = process_tree_cpu_s,
        busy_clock: Callable[[], float] = machine_busy_cpu_s,
    ) -> None:
        self._own_clock, self._busy_clock = own_clock, busy_clock
        self._zones = [_open_zone(folder) for folder in _counted_zones(root)]
        if not self._zones:
            raise MeterError(f"no readable energy counter under {root}", "see `doctor`")
        self._lock = threading.Lock()
        self._own_s, self._busy_s = own_clock(), busy_clock()
        self._charged_j = 0.0

    @classmethod
    def availability(cls, root: Path = POWERCAP) -> Availability:
        """Readable where powercap shows a package zone that this user may read."""
        zones = _counted_zones(root)
        if not zones:
            return Availability(
                False,
                f"{root} shows no package zone: a virtual machine, a container, or no RAPL in this processor",
                "run on the host, or mount /sys/class/powercap into the container",
            )
        for zone in zones:
            if not os.access(zone / "energy_uj", os.R_OK):
                return Availability(
                    False, f"{zone}/energy_uj is readable by root only", f"sudo chmod a+r {root}/*/energy_uj"
                )
        return Availability(True)

    @property
    def source(self) -> str:
        """How many counters, and how they were shared out."""
        return f"rapl: {len(self._zones)} counters by CPU-time share, idle power included"

    def _read_j(self) -> float:
        """Adds the share of this process tree since the last reading: energy x own CPU time / busy CPU time."""
        with self._lock:
            drawn_j = sum(_advance_uj(zone) for zone in self._zones) / UJ_PER_J
            own_s, busy_s = self._own_clock(), self._busy_clock()
            own, busy = own_s - self._own_s, busy_s - self._busy_s
            self._own_s, self._busy_s = own_s, busy_s
            self._charged_j += drawn_j * min(1.0, own / max(busy, own)) if own > 0 else 0.0
            return self._charged_j


def _counted_zones(root: Path) -> list[Path]:
    """Package zones and the memory zones inside them; core, uncore, psys and mmio would count joules twice."""
    zones: list[Path] = []
    for folder in sorted(root.glob("intel-rapl:*")) if root.is_dir() else []:
        name = (folder / "name").read_text().strip() if (folder / "name").exists() else ""
        if name.startswith("package") or name == "dram":
            zones.append(folder)
    return zones


def _open_zone(folder: Path) -> _Zone:
    try:
        limit_uj = int((folder / "max_energy_range_uj").read_text())
        return _Zone(folder / "energy_uj", limit_uj, int((folder / "energy_uj").read_text()))
    except OSError as error:
        raise MeterError(f"cannot read {folder}: {error.strerror}", "see `doctor`") from error


def _advance_uj(zone: _Zone) -> int:
    """Microjoules since the last look at this counter, one wrap allowed for."""
    try:
        now_uj = int(zone.energy_file.read_text())
    except OSError as error:
        raise MeterError(f"cannot read {zone.energy_file}: {error.strerror}", "see `doctor`") from error
    step_uj = now_uj - zone.last_uj
    zone.last_uj = now_uj
    return step_uj if step_uj >= 0 else step_uj + zone.max_uj
