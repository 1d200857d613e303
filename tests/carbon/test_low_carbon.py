"""Work runs in the hours with the least carbon before a deadline, and what that saved is counted."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.carbon import IntensitySeries, LowCarbonGate, Saving, read_forecast, saving_line
from cemai_opt.core.errors import StudyError
from cemai_opt.core.units import J_PER_KWH

HOUR = 3600.0


@dataclass
class Clock:
    """A clock that sleeping moves on."""

    now_s: float = 0.0
    said: list[str] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def gate_of(grams: list[float], *, hours: float, clock: Clock) -> LowCarbonGate:
    """A gate with an hourly forecast from 0 on."""
    series = IntensitySeries([HOUR * i for i in range(len(grams))], grams)
    return LowCarbonGate(series, deadline_s=hours * HOUR, clock=clock, sleep=clock.sleep)


@pytest.mark.parametrize(
    ("grams", "hours", "needed_h", "start_h"),
    [
        ([500.0, 400.0, 100.0, 300.0], 4.0, 0.5, 2.0),
        ([500.0, 400.0, 100.0, 300.0], 2.0, 0.5, 1.0),
        ([500.0, 400.0, 100.0, 300.0], 4.0, 1.5, 2.0),
        ([500.0, 400.0, 100.0, 300.0], 4.0, 2.5, 1.0),
        ([500.0, 400.0, 100.0, 300.0], 4.0, 9.0, 0.0),
        ([200.0, 200.0, 200.0], 3.0, 0.5, 0.0),
        ([100.0, 500.0], 2.0, 1.5, 0.0),
    ],
)
def test_the_cheapest_hours_before_the_deadline_are_chosen(
    grams: list[float], hours: float, needed_h: float, start_h: float
) -> None:
    """As many as the work needs; the earlier ones of equal ones; at once if the deadline leaves no choice."""
    gate = gate_of(grams, hours=hours, clock=Clock())
    assert gate.next_start(needed_h * HOUR) == start_h * HOUR


@given(
    grams=st.lists(st.sampled_from([50.0, 200.0, 400.0]), min_size=1, max_size=8),
    needed=st.lists(st.floats(60.0, 2.0 * HOUR), min_size=1, max_size=5),
)
def test_work_is_never_pushed_beyond_the_deadline(grams: list[float], needed: list[float]) -> None:
    """Whatever the forecast: what fits before the deadline begins in time, and after the deadline nothing waits."""
    clock = Clock()
    hours = float(len(grams))
    gate, left_s = gate_of(grams, hours=hours, clock=clock), sum(needed)
    for seconds in needed:
        gate.wait(left_s, 0.0, announce=clock.said.append)
        clock.now_s += seconds
        left_s -= seconds
    fits = sum(needed) <= hours * HOUR
    longest_s = max(needed)  # a piece that has begun is not cut at the end of its hour
    assert clock.now_s <= max(hours * HOUR + longest_s if fits else 0.0, sum(needed) + 1.0)
    assert gate.next_start(60.0) >= clock.now_s


def test_what_waiting_saved_is_counted() -> None:
    """Two kWh in hours of 100 g instead of 500 and 400 g; a machine of 10 W that waited emitted two dirty hours."""
    clock = Clock()
    gate = gate_of([500.0, 400.0, 100.0, 100.0], hours=4.0, clock=clock)
    energy_j, said = 0.0, list[str]()
    for left_h in (2.0, 1.0):
        gate.wait(left_h * HOUR, energy_j, announce=said.append)
        clock.now_s += HOUR
        energy_j += J_PER_KWH
    saving = gate.saving(energy_j)
    assert (saving.paused_s, saving.pauses) == (2.0 * HOUR, 1)
    assert saving.carbon_g == pytest.approx(200.0)
    assert saving.at_once_g == pytest.approx(900.0)
    assert saving.share == pytest.approx(1 - 200 / 900)
    assert saving.waiting_g_per_w * 10.0 == pytest.approx(0.010 * 900.0)
    assert "waiting for low carbon until" in said[0]
    assert saving_line(saving, idle_w=10.0) == (
        "low carbon: waited 2 h in 1 pause; the run emitted 200 g instead of 900 g by the forecast, 78% less than "
        "starting at once; a machine that was on for nothing else meanwhile emitted 9 g"
    )


def test_nothing_to_wait_for_is_said() -> None:
    """Instead of a saving of nothing."""
    nothing = Saving(paused_s=0.0, pauses=0, carbon_g=1.0, at_once_g=1.0, waiting_g_per_w=0.0)
    assert "nothing to wait for" in saving_line(nothing, idle_w=10.0)


def test_a_forecast_is_a_file_or_what_a_command_prints(tmp_path: Path) -> None:
    """In the same form; a command that fails or prints something else is an error that says which."""
    text = "time,g\n2030-01-01T00:00+00:00,100\n2030-01-01T01:00+00:00,300\n"
    (tmp_path / "forecast.csv").write_text(text)
    printing = tmp_path / "forecast.py"
    printing.write_text(f"print({text!r})")
    for source in (str(tmp_path / "forecast.csv"), f"cmd:{sys.executable} {printing}"):
        assert read_forecast(source).mean() == 200.0
    for bad, said in (("cmd:false", "failed"), ("cmd:echo 7", "has no rows"), ("none.csv", "cannot read")):
        with pytest.raises(StudyError, match=said):
            read_forecast(bad)


def test_steps_are_cut_at_both_ends() -> None:
    """And there are none in a time that is over."""
    series = IntensitySeries([0.0, 10.0, 20.0], [1.0, 2.0, 3.0])
    assert [(s.start_s, s.end_s, s.grams) for s in series.steps(5.0, 15.0)] == [(5.0, 10.0, 1.0), (10.0, 15.0, 2.0)]
    assert series.steps(5.0, 5.0) == []
