"""Joules of a run against a wall meter, on powers that are known."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.runs.power_log import PowerRow
from cemai_opt.runs.wall import WallLog, compared_with_wall

START_S, IDLE_W, THREAD_W = 1_780_000_000.0, 30.0, 6.0


def run_of(seconds: int, *, watts: float = 4.0) -> list[PowerRow]:
    """A run that is busy on one thread in two of three seconds, with 1 W of memory."""
    busy = [1.0 if second % 3 else 0.1 for second in range(seconds)]
    return [
        PowerRow(end=START_S + n + 1, duration_s=1.0, cpu_s=cpu_s, cpu_j=watts * cpu_s, ram_j=1.0, gpu_j=0.0)
        for n, cpu_s in enumerate(busy)
    ]


def shown_beside(rows: list[PowerRow], *, noise_w: float = 0.5, delay_s: float = 1.0, around_s: int = 60) -> WallLog:
    """What a meter shows every second, some seconds late and with noise."""
    moments = np.arange(START_S - around_s, rows[-1].end + around_s)
    cpu_s, ram_w = np.zeros(len(moments)), np.zeros(len(moments))
    for row in rows:
        inside = (moments - delay_s >= row.start) & (moments - delay_s < row.end)
        cpu_s[inside], ram_w[inside] = row.cpu_s, row.ram_j
    noise = np.random.default_rng(0).normal(0.0, noise_w, len(moments))
    return WallLog(moments, IDLE_W + THREAD_W * cpu_s + ram_w + noise)


def test_idle_power_and_watts_of_a_thread_are_found() -> None:
    """Within two standard errors, which are small after two minutes."""
    rows = run_of(120)
    result = compared_with_wall(rows, shown_beside(rows))
    for estimate, true, most in ((result.idle_w, IDLE_W, 0.3), (result.watts_per_thread, THREAD_W, 0.5)):
        assert abs(estimate.value - true) < 3 * estimate.se
        assert estimate.se < most
    assert result.factor.value == pytest.approx((THREAD_W * 0.7 + 1) / (4 * 0.7 + 1), rel=0.05)
    assert result.run_s == pytest.approx(120.0)


def test_a_verdict_allows_for_both_errors() -> None:
    """Four watts where six are drawn: outside 5 %, inside 50 %; six where six are drawn: inside 5 %."""
    rows = run_of(120)
    wrong = compared_with_wall(rows, shown_beside(rows))
    assert (wrong.agrees_within(0.05), wrong.agrees_within(0.5)) == (False, True)
    assert compared_with_wall(run_of(120, watts=THREAD_W), shown_beside(rows)).agrees_within(0.05)


@pytest.mark.parametrize(("seconds", "around_s"), [(10, 60), (120, 0)])
def test_too_little_of_the_run_or_of_the_time_beside_it(seconds: int, around_s: int) -> None:
    """What to log is said."""
    rows = run_of(seconds)
    with pytest.raises(StudyError, match="too few to compare") as raised:
        compared_with_wall(rows, shown_beside(rows, around_s=around_s))
    assert "half a minute" in raised.value.hint


def test_a_log_of_another_day_shows_no_run() -> None:
    """A wrong time zone, for example."""
    rows = run_of(120)
    wall = shown_beside(rows)
    with pytest.raises(StudyError, match="0 blocks of 5 s with the run"):
        compared_with_wall(rows, WallLog(wall.moments + 86400.0, wall.watts))


def test_times_are_iso_or_seconds_and_sorted(tmp_path: Path) -> None:
    """With a zone or, without one, in local time."""
    noon = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)
    local = noon.astimezone().replace(tzinfo=None)
    path = tmp_path / "plug.csv"
    path.write_text(f"t,W\n{noon.timestamp() + 1},12\n2026-01-31T13:00+01:00,10\n\n{local.isoformat()}.5,11\n")
    log = WallLog.read(path)
    assert (log.moments - noon.timestamp()).tolist() == [0.0, 0.5, 1.0]
    assert log.watts.tolist() == [10.0, 11.0, 12.0]
    assert log.block_s == 5.0


@pytest.mark.parametrize("line", ["yesterday,12", "2026-01-31T12:00", "2026-01-31T12:00,-3", "nan,3", "1,nan", "1,x"])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    """With an example of a good one."""
    path = tmp_path / "plug.csv"
    path.write_text(f"time,watts\n1780000000,30\n{line}\n")
    with pytest.raises(StudyError, match="line 3") as raised:
        WallLog.read(path)
    assert "41.7" in raised.value.hint


def test_no_log_is_an_error(tmp_path: Path) -> None:
    """A missing file, and one without samples."""
    with pytest.raises(StudyError, match="cannot read"):
        WallLog.read(tmp_path / "nothing.csv")
    (tmp_path / "plug.csv").write_text("time,watts\n")
    with pytest.raises(StudyError, match="fewer than two"):
        WallLog.read(tmp_path / "plug.csv")
