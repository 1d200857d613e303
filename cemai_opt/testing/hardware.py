"""Doubles of hardware that test machines lack: a powercap tree, the NVML library, a recorded trace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

WRAP_UJ = 262_143_328_850


def powercap_tree(folder: Path, *, packages: int = 1, start_uj: int = 1_000_000, wrap_uj: int = WRAP_UJ) -> Path:
    """A powercap folder as on Linux, with zones that must be counted and zones that must not."""
    root = folder / "powercap"
    for package in range(packages):
        zone(root, f"intel-rapl:{package}", label=f"package-{package}", energy_uj=start_uj, wrap_uj=wrap_uj)
        zone(root, f"intel-rapl:{package}:0", label="core", energy_uj=start_uj, wrap_uj=wrap_uj)
        zone(root, f"intel-rapl:{package}:1", label="uncore", energy_uj=start_uj, wrap_uj=wrap_uj)
        zone(root, f"intel-rapl:{package}:2", label="dram", energy_uj=start_uj, wrap_uj=wrap_uj)
    zone(root, f"intel-rapl:{packages}", label="psys", energy_uj=start_uj, wrap_uj=wrap_uj)
    zone(root, "intel-rapl-mmio:0", label="package-0", energy_uj=start_uj, wrap_uj=wrap_uj)
    return root


def zone(root: Path, name: str, *, label: str, energy_uj: int, wrap_uj: int) -> None:
    """One counter of the tree."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{label}\n")
    (folder / "energy_uj").write_text(f"{energy_uj}\n")
    (folder / "max_energy_range_uj").write_text(f"{wrap_uj}\n")


def advance(root: Path, name: str, *, step_uj: int) -> None:
    """Advances one counter, which wraps as the real one does."""
    file = root / name / "energy_uj"
    file.write_text(f"{(int(file.read_text()) + step_uj) % WRAP_UJ}\n")


@dataclass
class Process:
    """A process on the GPU, with the fields that NVML reports."""

    pid: int
    smUtil: int = 0  # noqa: N815  # NVML's own name
    timeStamp: int = 1  # noqa: N815  # NVML's own name


class FakeNvml:
    """The calls of pynvml that the meter makes, and its error class.

    With `counting`, the energy counter increases at each reading.
    """

    class NVMLError(Exception):
        """Raised by every failing call."""

    def __init__(
        self, *, counting: bool = False, has_counter: bool = True, has_power: bool = True, devices: int = 1
    ) -> None:
        self.energy_mj, self.power_mw = 5_000, 100_000
        self.processes: list[Process] = []
        self.has_counter, self._counting, self._has_power, self._devices = has_counter, counting, has_power, devices

    def nvmlInit(self) -> None:  # noqa: N802  # NVML's own name
        """Does nothing."""

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802  # NVML's own name
        """How many GPUs there are."""
        return self._devices

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802  # NVML's own name
        """A handle."""
        return index

    def nvmlDeviceGetName(self, handle: int) -> str:  # noqa: N802  # NVML's own name
        """A name."""
        return "Fake GPU"

    def nvmlDeviceGetUUID(self, handle: int) -> str:  # noqa: N802  # NVML's own name
        """An identifier of this device."""
        return f"GPU-fake-{id(self)}-{handle}"

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:  # noqa: N802  # NVML's own name
        """Millijoules since the driver was loaded."""
        if not self.has_counter:
            raise self.NVMLError("Not Supported")
        self.energy_mj += 7 if self._counting else 0
        return self.energy_mj

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:  # noqa: N802  # NVML's own name
        """Milliwatts now."""
        if not self._has_power:
            raise self.NVMLError("Not Supported")
        return self.power_mw

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[Process]:  # noqa: N802  # NVML's own name
        """Processes that use the GPU."""
        return self.processes

    def nvmlDeviceGetProcessUtilization(self, handle: int, since_us: int) -> list[Process]:  # noqa: N802  # NVML's own name
        """Processes with their use of the streaming multiprocessors since `since_us`."""
        return [process for process in self.processes if process.timeStamp > since_us]


def trace_of(folder: Path) -> Path:
    """A recorded trace of a hundred readings, a tenth of a joule apart."""
    path = folder / "trace.jsonl"
    readings = "".join(f"{i / 10}\n" for i in range(100))
    path.write_text('{"source": "cpu_time: test", "attribution": 0.02}\n' + readings)
    return path
