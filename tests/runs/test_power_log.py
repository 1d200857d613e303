"""The log of what a run uses over time."""

from __future__ import annotations

import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.meters.cpu_time import CpuTime
from cemai_opt.meters.ram import Ram
from cemai_opt.runs.power_log import HEADER, PowerLog, PowerRow, power_rows

ROW = PowerRow(end=1_780_000_000.5, duration_s=1.5, cpu_s=0.5, cpu_j=2.0, ram_j=0.25, gpu_j=0.0)


def test_a_row_is_what_was_used_since_the_row_before() -> None:
    """Joules by kind of device, CPU seconds, and the time."""
    now_s, cpu_s = [100.0], [3.0]
    meter = CpuTime(clock=lambda: cpu_s[0], watts=4.0)
    log = PowerLog([meter, Ram()], lambda: now_s[0], cpu_clock=lambda: cpu_s[0])
    now_s[0], cpu_s[0] = 102.0, 3.5
    row = log.row()
    assert (row.start, row.end, row.duration_s, row.cpu_s, row.cpu_j) == (100.0, 102.0, 2.0, 0.5, 2.0)
    assert row.ram_j >= 0
    now_s[0] = 103.0
    assert (log.row().cpu_j, log.row().duration_s) == (0.0, 0.0)


def test_rows_are_read_back() -> None:
    """To a millisecond and four digits; a partial last line is left out."""
    assert power_rows(f"{HEADER}\n{ROW.text}\n{ROW.text[:10]}") == [ROW]
    assert power_rows("") == []


@pytest.mark.parametrize("line", ["x", "2026-01-31T12:00:00+00:00,1,2", "2026-01-31T12:00:00+00:00,1,2,3,nan,0"])
def test_a_line_that_is_no_row_is_named(line: str) -> None:
    """With its number."""
    with pytest.raises(StudyError, match="line 3"):
        power_rows(f"{HEADER}\n{ROW.text}\n{line}\n")
