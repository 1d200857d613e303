"""Reads the total-energy counter of an NVIDIA GPU (NVML)."""

from __future__ import annotations

from types import ModuleType

from cemai_opt.core.errors import MeterError
from cemai_opt.core.units import MJ_PER_J
from cemai_opt.meters._meter import Availability, Meter


class Nvml(Meter):
    """Total-energy counter of the GPU that a trial has to itself."""

    kind = "gpu"
    rank = 10
    requires = ("pynvml",)
    resolution_s = 2.0
    """The counter is refreshed about every 20 to 100 ms."""
    attribution = 0.01
    model_error = 0.05

    REFRESH_S = 0.1
    IDLE_W = 70.0
    """Of the order of an idle data-centre GPU; together with the refresh period it bounds the read-out error."""

    def __init__(self, index: int = 0, library: ModuleType | None = None) -> None:
        import pynvml

        self._nvml = library or pynvml
        self.device = f"gpu{index}"
        try:
            self._nvml.nvmlInit()
            self._handle = self._nvml.nvmlDeviceGetHandleByIndex(index)
            self._name = self._nvml.nvmlDeviceGetName(self._handle)
            self._read_j()
        except self._nvml.NVMLError as error:
            raise MeterError(f"GPU {index} has no readable energy counter: {error}", "see `doctor`") from error

    @classmethod
    def availability(cls, library: ModuleType | None = None) -> Availability:
        """Readable where NVML finds a GPU of the Volta generation or later."""
        import pynvml

        nvml = library or pynvml
        try:
            cls(library=nvml)
        except MeterError as error:
            return Availability(False, error.message, "an NVIDIA driver with a GPU of 2017 (Volta) or later")
        return Availability(True)

    @property
    def source(self) -> str:
        """The GPU's name."""
        return f"nvml: {self._name}, whole device"

    def _read_j(self) -> float:
        try:
            return float(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)) / MJ_PER_J
        except self._nvml.NVMLError as error:
            raise MeterError(f"the energy counter of {self.device} does not answer: {error}") from error

    def _read_out_j(self) -> float:
        return self.REFRESH_S * self.IDLE_W
