"""Reads systems on a chip through the library Zeus: Apple silicon, NVIDIA Jetson."""

from __future__ import annotations

import platform
from typing import Any, Protocol

from cemai_opt.core.errors import MeterError
from cemai_opt.core.units import MJ_PER_J
from cemai_opt.meters._meter import Availability
from cemai_opt.meters._shared_counters import Clocks, Counter, SharedCounters

PARTS = ({"cpu_total_mj": "cpu", "dram_mj": "ram"}, {"total_energy_mj": "all"}, {"cpu_energy_mj": "cpu"})
"""Fields of Zeus's measurements in millijoules, and what they count: the first set that a chip has is read.

Apple's fields are sums over clusters; Jetson's total is the rail of the whole board, its processor's a part of it.
"""
MACHINES = ("arm64", "aarch64")
"""Processors of Apple silicon and of Jetson, as `platform.machine` names them."""
REMEDY = "run on Apple silicon, or on a Jetson"
COVERS = {"cpu": frozenset[str](), "ram": frozenset({"ram"}), "all": frozenset({"ram", "gpu"})}


class _Chip(Protocol):
    """What is called of `zeus.device.soc.common.SoC`."""

    def get_available_metrics(self) -> set[str]: ...

    def get_total_energy_consumption(self) -> Any: ...


class _SocCounter(Counter):
    """One field of the chip's measurement, counted since the chip was opened."""

    def __init__(self, chip: _Chip, field: str) -> None:
        self._chip, self._field = chip, field
        self._last_j = self._now_j()

    def advance_j(self) -> float:
        """Joules since the last reading."""
        now_j = self._now_j()
        step_j, self._last_j = now_j - self._last_j, now_j
        return step_j

    def _now_j(self) -> float:
        try:
            return float(getattr(self._chip.get_total_energy_consumption(), self._field)) / MJ_PER_J
        except Exception as error:  # Zeus hands on what each vendor's library raises
            raise MeterError(f"Zeus cannot read {self._field}: {type(error).__name__}: {error}") from error


class ZeusSoc(SharedCounters):
    """Apple silicon and NVIDIA Jetson by the library Zeus, without idle power, attributed by CPU time."""

    rank = 13
    requires = ("zeus",)
    resolution_s = 1.0
    """Jetson's rails are sampled ten times a second, Apple's counters are read when asked."""
    whose_idle = "chip"
    covers = frozenset({"ram"})

    def __init__(self, chip: _Chip | None = None, clocks: Clocks | None = None, *, idle_w: float | None = None) -> None:
        chip = chip or _this_chip()
        known = chip.get_available_metrics()
        fields = next((fields for fields in PARTS if next(iter(fields)) in known), {})
        read = {field: part for field, part in fields.items() if field in known}
        super().__init__("zeus_soc", [_SocCounter(chip, field) for field in read], clocks=clocks, idle_w=idle_w)
        self.covers = frozenset[str]().union(*(COVERS[part] for part in read.values()))
        self._source = f"zeus_soc: {type(chip).__name__}, {' and '.join(sorted(read))},"

    @classmethod
    def availability(cls) -> Availability:
        """Readable if Zeus knows this chip."""
        if platform.machine() not in MACHINES:  # asking Zeus takes 0.2 s
            return Availability(False, f"no system on a chip that Zeus reads: {platform.machine()}", REMEDY)
        try:
            cls()
        except MeterError as error:
            return Availability(False, error.message, error.hint or REMEDY)
        return Availability(True)

    @property
    def source(self) -> str:
        """The chip, what was read, and the idle power that was subtracted."""
        return f"{self._source} {self.attribution_text}"


def _this_chip() -> _Chip:
    """Zeus's object of this machine. MeterError if there is none."""
    from zeus.device.exception import ZeusBaseSoCError
    from zeus.device.soc import get_soc

    try:
        chip: _Chip = get_soc()
    except ZeusBaseSoCError as error:
        raise MeterError(f"Zeus cannot read this chip: {error}", "on a Mac: pip install zeus-apple-silicon") from error
    return chip
