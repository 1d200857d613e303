"""Reads the energy of an AMD GPU through the library Zeus."""

from __future__ import annotations

import threading
from typing import Protocol

from cemai_opt.core.errors import MeterError
from cemai_opt.core.units import MJ_PER_J
from cemai_opt.meters._lease import first_free
from cemai_opt.meters._meter import Availability, Meter


class _Gpus(Protocol):
    """What is called of `zeus.device.gpu.common.GPUs`."""

    def __len__(self) -> int: ...

    def get_name(self, gpu_index: int) -> str: ...

    def supports_get_total_energy_consumption(self, gpu_index: int) -> bool: ...

    def get_total_energy_consumption(self, gpu_index: int) -> int: ...


class ZeusGpu(Meter):
    """Energy counter of an AMD GPU by the library Zeus, leased to this process and charged whole."""

    kind = "gpu"
    rank = 20
    requires = ("zeus",)
    resolution_s = 2.0
    attribution = 0.01
    model_error = 0.05

    READ_OUT_J = 7.0
    """As for NVIDIA: 70 W of an idle data-centre GPU for a tenth of a second."""

    def __init__(self, gpus: _Gpus | None = None, *, leases: bool = True) -> None:
        self._gpus, self._lock = gpus or _amd_gpus(), threading.Lock()
        names = [f"amd-gpu-{index}" for index in range(len(self._gpus))]
        self._index = first_free(names) if leases else 0
        self.device = f"gpu{self._index}"
        if len(self._gpus) == 0 or not self._gpus.supports_get_total_energy_consumption(self._index):
            raise MeterError(f"{self.device} has no energy counter that Zeus can read", "see `doctor`")
        self._name = self._gpus.get_name(self._index)
        self._read_j()

    @classmethod
    def availability(cls) -> Availability:
        """Readable if Zeus finds an AMD GPU with an energy counter."""
        try:
            cls(leases=False)
        except MeterError as error:
            return Availability(False, error.message, error.hint)
        return Availability(True)

    @property
    def source(self) -> str:
        """The GPU; other processes on it are charged to this one."""
        return f"zeus_gpu: {self._name}, energy counter, whole device"

    def _read_j(self) -> float:
        with self._lock:
            try:
                return float(self._gpus.get_total_energy_consumption(self._index)) / MJ_PER_J
            except Exception as error:  # Zeus hands on what AMD's library raises
                raise MeterError(
                    f"Zeus cannot read {self.device}: {type(error).__name__}: {error}", "see `doctor`"
                ) from error

    def _read_out_j(self) -> float:
        return self.READ_OUT_J


def _amd_gpus() -> _Gpus:
    """Zeus's object of this machine. MeterError if there is none; NVIDIA's GPUs are read by `nvml`."""
    from zeus.device.exception import ZeusBaseGPUError
    from zeus.device.gpu.amd import AMDGPUs, amdsmi_is_available

    if not amdsmi_is_available():
        raise MeterError("Zeus finds no AMD GPU (amdsmi)", "install ROCm 6.2 or later, and let this user reach it")
    try:
        gpus: _Gpus = AMDGPUs()
    except ZeusBaseGPUError as error:
        raise MeterError(f"Zeus cannot open the AMD GPUs: {error}", "install ROCm 6.2 or later") from error
    return gpus
