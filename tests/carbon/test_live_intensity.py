"""Carbon intensity over time."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from cemai_opt.carbon.live_intensity import IntensitySeries, LiveIntensity
from cemai_opt.core.errors import StudyError

NOON = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC).timestamp()


def series(folder: Path, text: str = "2026-01-31T12:00Z,100\n2026-01-31T13:00Z,300\n") -> Path:
    """An intensity file."""
    path = folder / "grid.csv"
    path.write_text("time,g_per_kwh\n" + text)
    return path


def test_a_value_holds_until_the_next(tmp_path: Path) -> None:
    """And the first one before, the last one after the series; the mean is that of the values."""
    known = IntensitySeries.read(series(tmp_path))
    assert [known.at(NOON + hours * 3600) for hours in (-1, 0, 0.9, 1, 9)] == [100, 100, 100, 300, 300]
    assert known.mean() == 200


def test_the_mean_of_a_session_is_weighted_by_time(tmp_path: Path) -> None:
    """Half an hour at 100, then one and a half at 300."""
    now = [NOON + 1800]
    live = LiveIntensity(str(series(tmp_path)), lambda: now[0])
    now[0] = NOON + 3600
    live.sample()
    now[0] = NOON + 9000
    live.sample()
    assert live.mean() == pytest.approx((0.5 * 100 + 1.5 * 300) / 2.0)


def test_a_sample_too_soon_is_not_taken(tmp_path: Path) -> None:
    """A command is not asked after every trial of a millisecond."""
    script = tmp_path / "count.sh"
    script.write_text(f"#!/bin/sh\necho x >> {tmp_path}/asked\necho 42\n")
    script.chmod(0o755)
    now = [0.0]
    live = LiveIntensity(f"cmd:{script}", lambda: now[0])
    live.sample(60.0)
    now[0] = 61.0
    live.sample(60.0)
    assert (tmp_path / "asked").read_text().count("x") == 2
    assert live.mean() == 42


@pytest.mark.parametrize(
    "text", ["", "yesterday,100\n", "2026-01-31T12:00,-1\n", "2026-01-31T12:00\n", "2026-01-31T12:00,nan\n"]
)
def test_a_wrong_file_says_which_line(tmp_path: Path, text: str) -> None:
    """Never a silent default."""
    with pytest.raises(StudyError, match=r"line 2|no rows"):
        IntensitySeries.read(series(tmp_path, text))


@pytest.mark.parametrize("command", ["false", "echo many", "echo -5", "/no/such/program"])
def test_a_wrong_command_is_an_error(command: str) -> None:
    """It must print one number above zero."""
    with pytest.raises(StudyError, match="intensity command"):
        LiveIntensity(f"cmd:{command}")
