"""Reads the energy of an NVIDIA GPU (NVML)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from cemai_opt.core.errors import MeterError
from cemai_opt.core.units import MJ_PER_J
from cemai_opt.meters._cpu_clock import process_tree
from cemai_opt.meters._lease import first_free
from cemai_opt.meters._meter import Availability, Meter

SAMPLE_S = 0.05
"""Period of power readings on GPUs without an energy counter (before Volta)."""
US_PER_S = 1e6


class Nvml(Meter):
    """Energy counter of a GPU leased to this process; attributed by utilisation if other processes use the GPU too."""

    kind = "gpu"
    rank = 10
    requires = ("pynvml",)
    resolution_s = 2.0
    """The counter is refreshed about every 20 to 100 ms."""
    attribution = 0.01
    model_error = 0.05

    REFRESH_S = 0.1
    IDLE_W = 70.0
    """Typical power of an idle data-centre GPU; with the refresh period it bounds the read-out error."""

    def __init__(
        self, library: ModuleType | None = None, clock: Callable[[], float] = time.monotonic, *, leases: bool = True
    ) -> None:
        import pynvml

        self._nvml: Any = library or pynvml
        self._clock, self._lock = clock, threading.Lock()
        try:
            self._nvml.nvmlInit()
            index = self._free_index() if leases else 0
            self.device = f"gpu{index}"
            self._handle = self._nvml.nvmlDeviceGetHandleByIndex(index)
            self._name = self._nvml.nvmlDeviceGetName(self._handle)
            self._last_j = self._device_j() if self._counts() else 0.0
        except self._nvml.NVMLError as error:
            raise MeterError(f"no GPU energy can be read: {error}", "see `doctor`") from error
        self._charged_j, self._was_shared, self._seen_us = 0.0, False, 0

    @classmethod
    def availability(cls, library: ModuleType | None = None) -> Availability:
        """Readable if NVML finds a GPU whose energy or power can be read."""
        import pynvml

        try:
            cls(library or pynvml, leases=False)
        except MeterError as error:
            return Availability(False, error.message, "install the NVIDIA driver, and let this user reach the device")
        return Availability(True)

    @property
    def source(self) -> str:
        """The GPU, how it was read, and whether other processes used it."""
        how = "energy counter" if self._has_counter else "power integrated every 50 ms (no counter before Volta)"
        whose = "shared, by streaming-multiprocessor use" if self._was_shared else "whole device"
        return f"nvml: {self._name}, {how}, {whose}"

    def _free_index(self) -> int:
        """The first GPU that no other process has leased. MeterError if all are leased."""
        handles = [self._nvml.nvmlDeviceGetHandleByIndex(i) for i in range(self._nvml.nvmlDeviceGetCount())]
        return first_free([str(self._nvml.nvmlDeviceGetUUID(handle)) for handle in handles])

    def _counts(self) -> bool:
        """Whether the GPU has an energy counter; if not, its power is integrated from now on."""
        try:
            self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)
            self._has_counter = True
        except self._nvml.NVMLError:
            self._nvml.nvmlDeviceGetPowerUsage(self._handle)  # raises if there is no power reading either
            self._has_counter = False
            self._integrated_j, self._sampled_s = 0.0, self._clock()
            threading.Thread(target=self._sample, daemon=True).start()
        return self._has_counter

    def _read_j(self) -> float:
        """Adds this process tree's share of the device's energy since the last reading."""
        with self._lock:
            try:
                now_j = self._device_j()
                self._charged_j += (now_j - self._last_j) * self._share()
            except self._nvml.NVMLError as error:
                raise MeterError(f"the energy of {self.device} cannot be read any more: {error}") from error
            self._last_j = now_j
            return self._charged_j

    def _device_j(self) -> float:
        if self._has_counter:
            return float(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)) / MJ_PER_J
        self._integrate()
        return self._integrated_j

    def _integrate(self) -> None:
        """Adds the current power times the time since the last sample."""
        now_s = self._clock()
        watts = float(self._nvml.nvmlDeviceGetPowerUsage(self._handle)) / MJ_PER_J
        self._integrated_j += watts * (now_s - self._sampled_s)
        self._sampled_s = now_s

    def _sample(self) -> None:
        while True:
            time.sleep(SAMPLE_S)
            with self._lock:
                try:
                    self._integrate()
                except self._nvml.NVMLError:  # the next reading raises it
                    return

    def _share(self) -> float:
        """1 if no other process uses the device, else own share of its streaming-multiprocessor utilisation."""
        own = set(process_tree())
        running = {process.pid for process in self._nvml.nvmlDeviceGetComputeRunningProcesses(self._handle)}
        if not running - own:
            return 1.0
        self._was_shared = True
        try:
            samples = self._nvml.nvmlDeviceGetProcessUtilization(self._handle, self._seen_us)
        except self._nvml.NVMLError:  # "Not Found": not used since then
            return 1.0 / len(running | own)
        self._seen_us = max((sample.timeStamp for sample in samples), default=self._seen_us)
        total = sum(sample.smUtil for sample in samples)
        return sum(sample.smUtil for sample in samples if sample.pid in own) / total if total else 0.0

    def _read_out_j(self) -> float:
        return self.REFRESH_S * self.IDLE_W
