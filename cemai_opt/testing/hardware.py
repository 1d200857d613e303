"""Doubles of hardware that test machines lack: counters in files, vendors' libraries, a recorded trace."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
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


def hwmon_tree(folder: Path, *, sockets: int = 1, start_uj: int = 1_000_000) -> Path:
    """A hwmon folder as on Linux with `amd_energy`: cores, then sockets; and a driver that must not count."""
    root = folder / "hwmon"
    _hwmon_device(root / "hwmon0", driver="power_meter", labels=("Esocket0",), energy_uj=start_uj)
    labels = ("Ecore000", "Ecore001", *(f"Esocket{socket}" for socket in range(sockets)))
    _hwmon_device(root / "hwmon1", driver="amd_energy", labels=labels, energy_uj=start_uj)
    return root


def _hwmon_device(folder: Path, *, driver: str, labels: Sequence[str], energy_uj: int) -> None:
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{driver}\n")
    for number, label in enumerate(labels, start=1):
        (folder / f"energy{number}_label").write_text(f"{label}\n")
        (folder / f"energy{number}_input").write_text(f"{energy_uj}\n")


def perf_tree(folder: Path, *, processors: str = "0", has_memory: bool = True) -> Path:
    """The kernel's description of its energy events: packages and memory, and parts that must not be counted."""
    root = folder / "power"
    (root / "events").mkdir(parents=True)
    (root / "type").write_text("21\n")
    (root / "cpumask").write_text(f"{processors}\n")
    codes = {"energy-cores": 1, "energy-pkg": 2, "energy-psys": 5} | ({"energy-ram": 3} if has_memory else {})
    for name, code in codes.items():
        (root / "events" / name).write_text(f"event=0x{code:02x}\n")
        (root / "events" / f"{name}.scale").write_text("2.3283064365386962890625e-10\n")
    return root


class FakePerf:
    """Opens perf events that count up at each reading, by `step` counts."""

    def __init__(self, *, step: int = 0) -> None:
        self.opened: list[tuple[int, int, int]] = []
        self.count, self.error = 0, ""
        self._step = step

    def __call__(self, kind: int, config: int, *, cpu: int) -> FakePerf:
        """An event; all of them share one count."""
        if self.error:
            raise PermissionError(13, self.error)
        self.opened.append((kind, config, cpu))
        return self

    def read(self) -> int:
        """The count."""
        if self.error:
            raise PermissionError(13, self.error)
        self.count += self._step
        return self.count


@dataclass(kw_only=True)
class ChipEnergy:
    """Millijoules since the chip was opened, with the field names of Zeus."""

    cpu_total_mj: int | None = None
    dram_mj: int | None = None
    gpu_mj: int | None = None
    cpu_energy_mj: float | None = None
    total_energy_mj: float | None = None


class FakeChip:
    """The calls of Zeus's `SoC` that the meter makes. With `step_mj`, each known field counts up at each reading."""

    def __init__(self, known: Sequence[str] = ("cpu_total_mj", "dram_mj", "gpu_mj"), *, step_mj: int = 0) -> None:
        self.energy = ChipEnergy(**dict.fromkeys(known, 1000))
        self.error = ""
        self._known, self._step_mj = tuple(known), step_mj

    def get_available_metrics(self) -> set[str]:
        """Fields that this chip has."""
        return set(self._known)

    def get_total_energy_consumption(self) -> ChipEnergy:
        """A snapshot of the counters."""
        if self.error:
            raise RuntimeError(self.error)
        for field in self._known:
            self.add(field, self._step_mj)
        return dataclasses.replace(self.energy)

    def add(self, field: str, step_mj: int) -> None:
        """Advances one counter."""
        setattr(self.energy, field, getattr(self.energy, field) + step_mj)


class FakeAmdGpus:
    """The calls of Zeus's `GPUs` that the meter makes. With `counting`, the counter increases at each reading."""

    def __init__(self, *, devices: int = 1, has_counter: bool = True, counting: bool = False) -> None:
        self.energy_mj, self.error = [1000] * devices, ""
        self._has_counter, self._counting = has_counter, counting

    def __len__(self) -> int:
        return len(self.energy_mj)

    def get_name(self, gpu_index: int) -> str:
        """A name."""
        return "Fake Instinct"

    def supports_get_total_energy_consumption(self, gpu_index: int) -> bool:
        """Whether there is an energy counter."""
        return self._has_counter

    def get_total_energy_consumption(self, gpu_index: int) -> int:
        """Millijoules since the driver was loaded."""
        if self.error:
            raise RuntimeError(self.error)
        self.energy_mj[gpu_index] += 7 if self._counting else 0
        return self.energy_mj[gpu_index]


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
