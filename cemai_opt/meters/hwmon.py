"""Reads the energy counters of AMD processors through Linux hwmon (the kernel module `amd_energy`)."""

from __future__ import annotations

import os
from pathlib import Path

from cemai_opt.core.units import UJ_PER_J
from cemai_opt.meters._meter import Availability
from cemai_opt.meters._shared_counters import Clocks, Counter, SharedCounters, read_integer

HWMON = Path("/sys/class/hwmon")
DRIVER = "amd_energy"
SOCKET = "Esocket"
"""Label of the counters of whole sockets; those of cores are parts of them."""


class _Socket(Counter):
    """One counter, which the driver extends to 64 bits."""

    def __init__(self, file: Path) -> None:
        self._file, self._last_uj = file, read_integer(file)

    def advance_j(self) -> float:
        """Joules since the last reading."""
        now_uj = read_integer(self._file)
        step_uj, self._last_uj = now_uj - self._last_uj, now_uj
        return step_uj / UJ_PER_J


class Hwmon(SharedCounters):
    """Counters of AMD sockets by the module `amd_energy`, without idle power, attributed by CPU time."""

    rank = 12

    def __init__(self, root: Path = HWMON, clocks: Clocks | None = None, *, idle_w: float | None = None) -> None:
        files = _socket_files(root)
        super().__init__("hwmon", [_Socket(file) for file in files], clocks=clocks, idle_w=idle_w)
        self._source = f"hwmon: {len(files)} sockets by {DRIVER},"

    @classmethod
    def availability(cls, root: Path = HWMON) -> Availability:
        """Readable if the module is loaded, and its counters are readable for this user."""
        files = _socket_files(root)
        if not files:
            return Availability(False, f"{root} has no {DRIVER}: no AMD processor, or no module", f"modprobe {DRIVER}")
        closed = [file for file in files if not os.access(file, os.R_OK)]
        if closed:
            return Availability(False, f"{closed[0]} is readable by root only", f"sudo chmod a+r {closed[0]}")
        return Availability(True)

    @property
    def source(self) -> str:
        """The number of sockets, and the idle power that was subtracted."""
        return f"{self._source} {self.attribution_text}"


def _socket_files(root: Path) -> list[Path]:
    """`energyN_input` of every socket."""
    labels = sorted(root.glob("hwmon*/energy*_label")) if root.is_dir() else []
    return [
        label.with_name(label.name.replace("_label", "_input"))
        for label in labels
        if _text(label.parent / "name") == DRIVER and _text(label).startswith(SOCKET)
    ]


def _text(path: Path) -> str:
    return path.read_text().strip() if path.exists() else ""
