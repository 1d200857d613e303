"""A wall meter beside a finished run, and what is stored of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cemai_opt.cli import cli
from cemai_opt.core.errors import StudyError
from cemai_opt.meters import busy_thread, machine_idle
from cemai_opt.meters._calibration import HOME
from cemai_opt.meters.cpu_time import CpuTime
from cemai_opt.runs.power_log import HEADER, PowerRow
from cemai_opt.runs.run_folder import POWER
from cemai_opt.runs.wall_check import check_wall, keep_wall
from tests.finished import finished_run

START_S, IDLE_W, THREAD_W = 1_780_000_000, 30.0, 7.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of our own, without a calibration."""
    monkeypatch.setenv(HOME, str(tmp_path / "home"))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run that has been busy on one thread for a minute."""
    folder = tmp_path / "run"
    shutil.copytree(finished_run("regression").path, folder)
    rows = [
        PowerRow(end=START_S + n + 1.0, duration_s=1.0, cpu_s=1.0, cpu_j=4.0, ram_j=0.0, gpu_j=0.0) for n in range(60)
    ]
    (folder / POWER).write_text("\n".join([HEADER, *(row.text for row in rows), ""]))
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What a plug has shown from a minute before until a minute after it."""
    noise = np.random.default_rng(0).normal(0.0, 0.3, 180)
    watts = [IDLE_W + THREAD_W * (0 <= n < 60) + noise[n + 60] for n in range(-60, 120)]
    path = tmp_path / "plug.csv"
    path.write_text("time,watts\n" + "".join(f"{START_S + n - 60},{value}\n" for n, value in enumerate(watts)))
    return path


def test_the_meter_is_told_in_words(run: Path, log: Path) -> None:
    """Idle, the factor, the verdict, and watts of a thread."""
    check = check_wall(log, run)
    text = "\n".join(check.lines)
    assert "idle: 30." in text or "idle: 29.9" in text
    assert "J at the wall: this contradicts cpu_time" in text
    assert check.comparison.factor.value == pytest.approx(THREAD_W / 4.0, rel=0.05)
    assert (check.agrees, check.is_of_this_machine) == (False, True)


def test_a_calibrated_machine_counts_with_these_watts(run: Path, log: Path) -> None:
    """With a smaller error of its model; idle power of the whole machine is known, too."""
    text = keep_wall(check_wall(log, run))
    assert "W per thread +-10%" in text
    assert busy_thread().watts == pytest.approx(THREAD_W, rel=0.05)
    assert machine_idle()[0] == pytest.approx(IDLE_W, rel=0.02)
    meter = CpuTime()
    assert meter.model_error == 0.1
    assert meter.source.endswith("W/thread, by a wall meter")


def test_a_run_of_another_machine_calibrates_nothing(run: Path, log: Path) -> None:
    """It is an error, and nothing is stored."""
    check = replace(check_wall(log, run), is_of_this_machine=False)
    with pytest.raises(StudyError, match="another machine"):
        keep_wall(check)
    assert "wall meter" not in busy_thread().origin


def test_a_run_without_a_log_of_power_is_refused(run: Path, log: Path) -> None:
    """Those of earlier versions have none."""
    (run / POWER).unlink()
    with pytest.raises(StudyError, match=r"no power\.csv"):
        check_wall(log, run)


def test_the_command_prints_and_stores(run: Path, log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For people or for a script; with --calibrate it says where it is stored."""
    command = ["doctor", "--wall", str(log), "--run", str(run)]
    cli.main(command, standalone_mode=False)
    assert "at the wall" in capsys.readouterr().out
    assert "wall meter" not in busy_thread().origin
    cli.main([*command, "--calibrate", "--json"], standalone_mode=False)
    document = json.loads(capsys.readouterr().out)
    assert document["comparison"]["watts_per_thread"]["value"] == pytest.approx(THREAD_W, rel=0.05)
    assert "stored in" in document["calibration"]
    assert "wall meter" in busy_thread().origin
