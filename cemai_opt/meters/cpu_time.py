"""Estimates energy from CPU seconds of the process tree and power per thread, on machines without energy counters."""

from __future__ import annotations

from collections.abc import Callable

from cemai_opt.meters._calibration import busy_thread
from cemai_opt.meters._cgroup import cgroup_clock, own_cgroup
from cemai_opt.meters._cpu_clock import process_tree_cpu_s
from cemai_opt.meters._cpu_power import TDP_ERROR
from cemai_opt.meters._meter import Availability, Meter


class CpuTime(Meter):
    """CPU seconds of the process tree times watts per thread."""

    rank = 20
    counts_whole_process = True
    attribution = 0.02
    """Coefficient of variation of equal work measured on a shared virtual machine: 1 to 3 % from 10 ms to 1 s."""
    model_error = TDP_ERROR
    """Smaller if a wall meter has calibrated this machine."""

    READ_OUT_S = 20e-6
    """CPU time of a pair of readings."""

    def __init__(self, clock: Callable[[], float] | None = None, watts: float | None = None) -> None:
        power, group = busy_thread(), own_cgroup()
        self._account = "process tree" if group is None else "control group"
        self._clock = clock or (process_tree_cpu_s if group is None else cgroup_clock(group))
        self._watts, self.model_error = power.watts if watts is None else watts, power.error
        self._origin = power.origin if watts is None else f"{watts:g} W/thread, given"

    @classmethod
    def availability(cls) -> Availability:
        """Always readable, because every system accounts for CPU time."""
        return Availability(True)

    @property
    def source(self) -> str:
        """The power per thread, and its origin."""
        return f"cpu_time: {self._account}, {self._origin}"

    def _read_j(self) -> float:
        return self._clock() * self._watts

    def _read_out_j(self) -> float:
        return self.READ_OUT_S * self._watts
