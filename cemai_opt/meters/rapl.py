"""Reads the energy counters of the processor packages (RAPL) through Linux powercap."""

from __future__ import annotations

import os
from pathlib import Path

from cemai_opt.core.units import UJ_PER_J
from cemai_opt.meters._meter import Availability
from cemai_opt.meters._shared_counters import Clocks, Counter, SharedCounters, read_integer

POWERCAP = Path("/sys/class/powercap")
MAX_POWER_W = 800.0
"""An upper bound of the power of a package, for the time until a counter wraps."""


class _Zone(Counter):
    """One counter; at `max_energy_range_uj` it wraps to zero."""

    def __init__(self, folder: Path) -> None:
        self._energy_file = folder / "energy_uj"
        self._max_uj, self._last_uj = read_integer(folder / "max_energy_range_uj"), read_integer(self._energy_file)
        self.lasts_s = self._max_uj / UJ_PER_J / MAX_POWER_W

    def advance_j(self) -> float:
        """Joules since the last reading, between which the counter may have wrapped once."""
        now_uj = read_integer(self._energy_file)
        step_uj = now_uj - self._last_uj
        self._last_uj = now_uj
        return (step_uj if step_uj >= 0 else step_uj + self._max_uj) / UJ_PER_J


class Rapl(SharedCounters):
    """Processor package and memory counters, without idle power, attributed by CPU time."""

    rank = 10

    def __init__(self, root: Path = POWERCAP, clocks: Clocks | None = None, *, idle_w: float | None = None) -> None:
        zones = _counted_zones(root)
        if any(_label(folder) == "dram" for folder in zones):
            self.covers = frozenset({"ram"})
        super().__init__("rapl", [_Zone(folder) for folder in zones], clocks=clocks, idle_w=idle_w)
        self._source = f"rapl: {len(zones)} counters"

    @classmethod
    def availability(cls, root: Path = POWERCAP) -> Availability:
        """Readable if powercap has a package zone that this user may read."""
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
                    False,
                    f"{zone}/energy_uj is readable by root only (since CVE-2020-8694)",
                    f"sudo chmod a+r {root}/*/energy_uj",
                )
        return Availability(True)

    @property
    def source(self) -> str:
        """The number of counters, and the idle power that was subtracted."""
        return f"{self._source} {self.attribution_text}"


def _label(folder: Path) -> str:
    return (folder / "name").read_text().strip() if (folder / "name").exists() else ""


def _counted_zones(root: Path) -> list[Path]:
    """Package zones and the memory zones inside them; core, uncore, psys and mmio would count joules twice."""
    folders = sorted(root.glob("intel-rapl:*")) if root.is_dir() else []
    return [folder for folder in folders if _label(folder).startswith("package") or _label(folder) == "dram"]
