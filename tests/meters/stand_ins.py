"""Stand-ins for hardware that test machines lack: a powercap tree, an NVML library."""

from __future__ import annotations

from pathlib import Path

WRAP_UJ = 262_143_328_850


def powercap_tree(folder: Path, packages: int = 1, start_uj: int = 1_000_000) -> Path:
    """A powercap folder as Linux lays it out, with zones that must not be counted beside those that must."""
    root = folder / "powercap"
    for package in range(packages):
        zone(root, f"intel-rapl:{package}", f"package-{package}", start_uj)
        zone(root, f"intel-rapl:{package}:0", "core", start_uj)
        zone(root, f"intel-rapl:{package}:1", "uncore", start_uj)
        zone(root, f"intel-rapl:{package}:2", "dram", start_uj)
    zone(root, f"intel-rapl:{packages}", "psys", start_uj)
    zone(root, "intel-rapl-mmio:0", "package-0", start_uj)
    return root


def zone(root: Path, name: str, label: str, energy_uj: int) -> None:
    """One counter of the tree."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{label}\n")
    (folder / "energy_uj").write_text(f"{energy_uj}\n")
    (folder / "max_energy_range_uj").write_text(f"{WRAP_UJ}\n")


def advance(root: Path, name: str, step_uj: int) -> None:
    """Lets one counter run on, wrapping as the real one does."""
    file = root / name / "energy_uj"
    file.write_text(f"{(int(file.read_text()) + step_uj) % WRAP_UJ}\n")


class FakeNvml:
    """The calls of pynvml that the meter makes, with its error class; counts up by itself where `counting`."""

    class NVMLError(Exception):
        """What every failing call raises."""

    def __init__(self, counting: bool = False, broken: bool = False) -> None:
        self.energy_mj, self._counting, self._broken = 5_000, counting, broken

    def nvmlInit(self) -> None:  # noqa: N802  # NVML's own name
        """Does nothing."""

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802  # NVML's own name
        """A handle."""
        return index

    def nvmlDeviceGetName(self, handle: int) -> str:  # noqa: N802  # NVML's own name
        """A name."""
        return "Fake GPU"

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:  # noqa: N802  # NVML's own name
        """Millijoules since the driver was loaded."""
        if self._broken:
            raise self.NVMLError("Not Supported")
        self.energy_mj += 7 if self._counting else 0
        return self.energy_mj
