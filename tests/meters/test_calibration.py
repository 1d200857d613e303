"""Idle watts, measured once a machine and kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from cemai_opt.meters import _calibration as calibration
from cemai_opt.meters import keep_idle_watts, machine_idle
from cemai_opt.meters.rapl import Rapl
from cemai_opt.testing.hardware import powercap_tree


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of our own."""
    monkeypatch.setenv(calibration.HOME, str(tmp_path / "home"))
    return tmp_path / "home"


def test_what_is_kept_is_used_on_this_machine_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next RAPL meter takes it off, and the footprint counts it; another machine has to measure for itself."""
    assert calibration.idle_watts("rapl") is None
    assert "assumed" in machine_idle()[1]
    keep_idle_watts({"rapl": 12.5})
    assert calibration.idle_watts("rapl") == 12.5
    assert "12.5 W idle taken off" in Rapl(powercap_tree(tmp_path)).source
    assert "12.5 W processor, measured" in machine_idle()[1]
    monkeypatch.setattr(calibration, "machine_key", lambda: "another machine")
    assert calibration.idle_watts("rapl") is None


def test_a_broken_file_is_no_calibration(home: Path) -> None:
    """Nothing is guessed from it."""
    home.mkdir()
    for text in ("", "[]", '{"machine": 1}', "garbage"):
        (home / "calibration.json").write_text(text)
        assert calibration.idle_watts("rapl") is None
