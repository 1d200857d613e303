"""AMD's counters over a hwmon tree in a temporary folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cemai_opt.core.errors import MeterError
from cemai_opt.meters.hwmon import Hwmon
from cemai_opt.testing.hardware import hwmon_tree
from tests.meters.conftest import HandClocks


def add(root: Path, number: int, step_uj: int) -> None:
    """Advances one counter of `amd_energy`."""
    file = root / "hwmon1" / f"energy{number}_input"
    file.write_text(f"{int(file.read_text()) + step_uj}\n")


def test_sockets_are_counted_and_their_cores_are_not(tmp_path: Path, clocks: HandClocks) -> None:
    """Two cores and two sockets, one joule each: two joules."""
    root = hwmon_tree(tmp_path, sockets=2)
    meter = Hwmon(root, clocks.readings)
    for number in range(1, 5):
        add(root, number, 1_000_000)
    clocks.alone(1.0)
    assert meter.read_j() == pytest.approx(2.0)
    assert meter.source.startswith("hwmon: 2 sockets by amd_energy, by CPU-time share")


def test_what_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No module: how to load it. No permission: the command that grants it. A file that vanishes: an error."""
    nowhere = Hwmon.availability(tmp_path / "nothing")
    assert not nowhere.is_readable
    assert "modprobe amd_energy" in nowhere.remedy
    with pytest.raises(MeterError):
        Hwmon(tmp_path / "nothing")
    root = hwmon_tree(tmp_path)
    assert Hwmon.availability(root).is_readable
    meter = Hwmon(root)
    (root / "hwmon1" / "energy3_input").unlink()
    with pytest.raises(MeterError, match="energy3_input"):
        meter.read_j()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "chmod a+r" in Hwmon.availability(root).remedy
