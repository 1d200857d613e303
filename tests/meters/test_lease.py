"""Devices that one process has for itself."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from cemai_opt.core.errors import MeterError
from cemai_opt.meters import _lease
from cemai_opt.meters._lease import first_free, lease

CODE = """import sys
from pathlib import Path
from cemai_opt.meters._lease import lease
print("refused" if lease(sys.argv[1], Path(sys.argv[2])) is None else "held")"""


def in_another_process(device: str, folder: Path) -> str:
    """Whether another process gets the device; it ends at once."""
    command = [sys.executable, "-c", CODE, device, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_device_is_leased_to_one_process(tmp_path: Path) -> None:
    """What this one holds another does not get; an ended one holds nothing."""
    device = f"GPU-{tmp_path.name}"
    assert in_another_process(device, tmp_path) == "held"
    assert lease(device, tmp_path) is not None
    assert in_another_process(device, tmp_path) == "refused"
    assert in_another_process(f"{device}-other", tmp_path) == "held"


def test_a_process_keeps_its_lease(tmp_path: Path) -> None:
    """Every meter of it may ask again."""
    device = f"GPU-{tmp_path.name}"
    assert lease(device, tmp_path) is lease(device, tmp_path) is not None


def test_any_name_of_a_device_is_a_file(tmp_path: Path) -> None:
    """Also one with slashes."""
    assert lease(f"MIG-GPU/{tmp_path.name}/../1", tmp_path) is not None
    (file,) = tmp_path.iterdir()
    assert file.suffix == ".lock"


def test_the_first_free_gpu_is_leased(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of other processes are left to them; if there is none, the trial is told to wait."""
    asked: list[str] = []

    def lease_of(gpu: str) -> io.StringIO | None:
        asked.append(gpu)
        return None if gpu == "a" else io.StringIO()

    monkeypatch.setattr(_lease, "lease", lease_of)
    assert first_free(["a", "b", "c"]) == 1
    assert asked == ["a", "b"]
    with pytest.raises(MeterError, match="all 1 GPUs are leased"):
        first_free(["a"])
