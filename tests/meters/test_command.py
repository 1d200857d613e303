"""A wall plug, by a command that prints what is in a file."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cemai_opt.core.errors import MeterError
from cemai_opt.core.files import write_atomic
from cemai_opt.meters.command import COMMAND, Command
from tests.meters.conftest import HandClocks


class Plug:
    """A file of what the instrument shows, and the command that prints it."""

    def __init__(self, folder: Path, shown: str) -> None:
        self._file = folder / "plug.txt"
        self.shows(shown)
        self.command = f"cat {self._file}"

    def shows(self, text: str) -> None:
        """What the command prints from now on."""
        write_atomic(self._file, f"{text}\n")  # it may be read at any time


def meter_of(plug: Plug, clocks: HandClocks, idle_w: float | None = None) -> Command:
    return Command(plug.command, clocks=clocks.readings, idle_w=idle_w, in_background=False)


@pytest.mark.parametrize(("before", "after", "joules"), [("1 Wh", "1.5 Wh", 1800.0), ("20 J", "21 J", 1.0)])
def test_a_counter_of_energy(tmp_path: Path, clocks: HandClocks, before: str, after: str, joules: float) -> None:
    """In the unit that it prints."""
    plug = Plug(tmp_path, before)
    meter = meter_of(plug, clocks)
    plug.shows(after)
    meter.instrument.sample()
    clocks.alone(1.0)
    assert meter.read_j() == pytest.approx(joules)


def test_power_is_integrated(tmp_path: Path, clocks: HandClocks) -> None:
    """Three seconds at 50 W and two at 80 W, of which 40 W were idle."""
    plug = Plug(tmp_path, "50 W")
    meter = meter_of(plug, clocks, idle_w=40.0)
    clocks.alone(3.0)
    plug.shows("80 W")
    meter.instrument.sample()
    clocks.alone(2.0)
    assert meter.read_j() == pytest.approx(3 * 10 + 2 * 40)
    assert meter.drawn_j == pytest.approx(3 * 50 + 2 * 80)


def test_a_battery_that_is_left_counts_up(tmp_path: Path, clocks: HandClocks) -> None:
    """Printed as -1 times what is left; one that is charged is an error."""
    plug = Plug(tmp_path, "-50 Wh")
    meter = meter_of(plug, clocks)
    plug.shows("-49.5 Wh")
    meter.instrument.sample()
    clocks.alone(1.0)
    assert meter.read_j() == pytest.approx(1800.0)
    plug.shows("-50 Wh")
    with pytest.raises(MeterError, match="counts down"):
        meter.instrument.sample()


@pytest.mark.parametrize("printed", ["", "12.5", "W 12", "12 parsecs", "nan W", "-3 W", "inf J"])
def test_what_it_must_print_is_said(tmp_path: Path, clocks: HandClocks, printed: str) -> None:
    """At the first call, not after an hour."""
    with pytest.raises(MeterError, match="printed") as raised:
        meter_of(Plug(tmp_path, printed), clocks)
    assert "a number and its unit" in raised.value.hint


def test_watts_and_joules_in_turn_are_refused(tmp_path: Path, clocks: HandClocks) -> None:
    """One of them was a mistake."""
    plug = Plug(tmp_path, "50 W")
    meter = meter_of(plug, clocks)
    plug.shows("50 J")
    with pytest.raises(MeterError, match="in turn"):
        meter.instrument.sample()


def test_a_command_that_fails_is_an_error(clocks: HandClocks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if there is none."""
    with pytest.raises(MeterError, match="meter command"):
        Command(f"{sys.executable} -c exit(3)", clocks=clocks.readings)
    monkeypatch.delenv(COMMAND, raising=False)
    assert not Command.availability().is_readable
    with pytest.raises(MeterError, match=COMMAND):
        Command()


def test_it_is_asked_in_the_background(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what fails there, the next reading says."""
    import time

    from cemai_opt.meters import command

    monkeypatch.setattr(command, "SAMPLE_S", 0.01)
    plug = Plug(tmp_path, "5 J")
    monkeypatch.setenv(COMMAND, plug.command)
    assert Command.availability().is_readable
    meter = Command()
    plug.shows("8 J")
    deadline = time.monotonic() + 10
    while meter.drawn_j < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert meter.drawn_j == 3
    plug.shows("broken")

    def read_on() -> None:
        while time.monotonic() < deadline:
            meter.read_j()
            time.sleep(0.01)

    with pytest.raises(MeterError, match="broken"):
        read_on()
