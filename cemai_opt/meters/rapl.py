"""Reads the energy counters of the processor packages (RAPL) through Linux powercap."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cemai_opt.core.errors import MeterError
from cemai_opt.core.units import UJ_PER_J
from cemai_opt.meters._calibration import idle_watts
from cemai_opt.meters._cpu_clock import machine_busy_cpu_s, process_tree_cpu_s
from cemai_opt.meters._meter import Availability, Meter

POWERCAP = Path("/sys/class/powercap")
MAX_POWER_W = 800.0
"""An upper bound of the power of a package, for the time until a counter wraps."""
SHARE_SPAN_S = 0.5
"""With ticks of 10 ms, half a second gives a share of CPU time with a precision of 2 %."""
ALWAYS_READ_SOONER_S = 600.0
"""Counters that take longer than this to wrap need no polling, because the stages read them often enough."""


@dataclass
class _Zone:
    """One counter; at `max_uj` it wraps to zero."""

    energy_file: Path
    max_uj: int
    last_uj: int

    @property
    def lasts_s(self) -> float:
        """Seconds until it wraps, at `MAX_POWER_W`."""
        return self.max_uj / UJ_PER_J / MAX_POWER_W


class Rapl(Meter):
    """Processor package and memory counters, without idle power, attributed by CPU time."""

    rank = 10
    resolution_s = 0.5
    """Kernel ticks of 10 ms limit the precision of a share of CPU time to 2 % of half a second."""
    attribution = 0.03
    model_error = 0.05

    def __init__(
        self,
        root: Path = POWERCAP,
        own_clock: Callable[[], float] = process_tree_cpu_s,
        *,
        busy_clock: Callable[[], float] = machine_busy_cpu_s,
        clock: Callable[[], float] = time.monotonic,
        idle_w: float | None = None,
    ) -> None:
        self._own_clock, self._busy_clock, self._clock = own_clock, busy_clock, clock
        zones = _counted_zones(root)
        self._zones = [_open_zone(folder) for folder in zones]
        if not self._zones:
            raise MeterError(f"no readable energy counter under {root}", "see `doctor`")
        if any(_label(folder) == "dram" for folder in zones):
            self.covers = frozenset({"ram"})
        self._idle_w = idle_watts("rapl") if idle_w is None else idle_w
        self._lock = threading.Lock()
        self._at_s, self._own_s = clock(), own_clock()
        self._moments = deque([(self._at_s, self._own_s, busy_clock())])
        self._charged_j = self._drawn_j = 0.0
        self._poll_s = min(zone.lasts_s for zone in self._zones) / 2
        if self._poll_s < ALWAYS_READ_SOONER_S:
            self._poll_later()

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
        idle = "idle not calibrated, so included" if self._idle_w is None else f"{self._idle_w:.1f} W idle taken off"
        return f"rapl: {len(self._zones)} counters by CPU-time share, {idle}"

    @property
    def drawn_j(self) -> float:
        """Joules of all processes since this meter was opened."""
        self.read_j()
        return self._drawn_j

    def _read_j(self) -> float:
        """Adds the energy of this process tree since the last reading: (energy - idle) x own / busy CPU time."""
        with self._lock:
            drawn_j = sum(_advance_uj(zone) for zone in self._zones) / UJ_PER_J
            at_s, own_s, busy_s = self._clock(), self._own_clock(), self._busy_clock()
            passed, own = at_s - self._at_s, own_s - self._own_s
            self._at_s, self._own_s = at_s, own_s
            self._drawn_j += drawn_j
            dynamic_j = max(0.0, drawn_j - (self._idle_w or 0.0) * passed)
            self._charged_j += dynamic_j * self._share(at_s, own_s, busy_s=busy_s) if own > 0 else 0.0
            return self._charged_j

    def _share(self, at_s: float, own_s: float, *, busy_s: float) -> float:
        """Own over busy CPU time, over at least `SHARE_SPAN_S`: the busy clock moves in ticks of 10 ms."""
        self._moments.append((at_s, own_s, busy_s))
        while len(self._moments) > 2 and at_s - self._moments[1][0] >= SHARE_SPAN_S:
            self._moments.popleft()
        _, first_own_s, first_busy_s = self._moments[0]
        own, busy = own_s - first_own_s, busy_s - first_busy_s
        return own / max(busy, own) if own > 0 else 0.0

    def _poll_later(self) -> None:
        """Schedules a reading before the counter can wrap twice, which takes only minutes on AMD processors."""
        timer = threading.Timer(self._poll_s, self._poll)
        timer.daemon = True
        timer.start()

    def _poll(self) -> None:
        with contextlib.suppress(MeterError):  # the next reading of a stage raises it
            self._read_j()
        self._poll_later()


def _label(folder: Path) -> str:
    return (folder / "name").read_text().strip() if (folder / "name").exists() else ""


def _counted_zones(root: Path) -> list[Path]:
    """Package zones and the memory zones inside them; core, uncore, psys and mmio would count joules twice."""
    folders = sorted(root.glob("intel-rapl:*")) if root.is_dir() else []
    return [folder for folder in folders if _label(folder).startswith("package") or _label(folder) == "dram"]


def _open_zone(folder: Path) -> _Zone:
    try:
        limit_uj = int((folder / "max_energy_range_uj").read_text())
        return _Zone(folder / "energy_uj", limit_uj, int((folder / "energy_uj").read_text()))
    except OSError as error:
        raise MeterError(f"cannot read {folder}: {error.strerror}", "see `doctor`") from error


def _advance_uj(zone: _Zone) -> int:
    """Microjoules since the last reading of this counter, which may have wrapped once."""
    try:
        now_uj = int(zone.energy_file.read_text())
    except OSError as error:
        raise MeterError(f"cannot read {zone.energy_file}: {error.strerror}", "see `doctor`") from error
    step_uj = now_uj - zone.last_uj
    zone.last_uj = now_uj
    return step_uj if step_uj >= 0 else step_uj + zone.max_uj
