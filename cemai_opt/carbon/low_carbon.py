"""Runs work in the hours with the least carbon before a deadline, by a forecast of the grid's carbon intensity."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from cemai_opt.carbon.live_intensity import IntensitySeries
from cemai_opt.core.commands import printed_by
from cemai_opt.core.study import COMMAND
from cemai_opt.core.units import J_PER_KWH, readable_grams, readable_seconds

TICK_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Saving:
    """What waiting has changed: grams as they were emitted, and as if the same work had begun at once."""

    paused_s: float
    pauses: int
    carbon_g: float
    at_once_g: float
    waiting_g_per_w: float
    """Grams of one watt while it waited, for the idle power of a machine that was switched on for nothing else."""

    @property
    def share(self) -> float:
        """Saved share of the grams at once; negative if waiting made it worse."""
        return 1.0 - self.carbon_g / self.at_once_g if self.at_once_g > 0.0 else 0.0


class LowCarbonGate:
    """Opens when the forecast says that it is a good time to work; between pieces of work one asks it with `wait`."""

    def __init__(
        self,
        forecast: IntensitySeries,
        *,
        deadline_s: float,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`deadline_s`: seconds from now until the work should be done; after that, the gate is always open."""
        self._forecast, self._clock, self._sleep = forecast, clock, sleep
        self._begun_s = clock()
        self._deadline_s = self._begun_s + deadline_s
        self._readings: list[tuple[float, float, float]] = []
        self.paused_s, self._pauses, self._waiting_g_s = 0.0, 0, 0.0

    def wait(self, needed_s: float, energy_j: float, *, announce: Callable[[str], None]) -> None:
        """Blocks until it is a good time for the next piece of work.

        `needed_s`: seconds of work that are left; `energy_j`: joules of the work so far, for `saving`.
        """
        self._note(energy_j)
        start_s = self.next_start(needed_s)
        now_s = self._clock()
        if start_s <= now_s:
            return
        now_g, then_g = self._forecast.at(now_s), self._forecast.at(start_s)
        at = time.strftime("%Y-%m-%d %H:%M", time.localtime(start_s))
        announce(f"waiting for low carbon until {at}: {then_g:g} g/kWh are forecast then, {now_g:g} now")
        before_s = now_s
        while (left_s := start_s - before_s) > 0.0:
            self._sleep(min(left_s, TICK_S))
            tick_s = self._clock()
            self._waiting_g_s += (tick_s - before_s) * self._forecast.at(before_s)
            before_s = tick_s
        self.paused_s += self._clock() - now_s
        self._pauses += 1
        announce(f"going on after {readable_seconds(self._clock() - now_s)}")
        self._note(energy_j)

    def next_start(self, needed_s: float) -> float:
        """The moment from which to work, with `needed_s` seconds of work left: now, or the start of a cheaper hour.

        The cheapest steps of the forecast before the deadline that hold the work are chosen, the earlier of equal ones.
        """
        now_s = self._clock()
        steps = self._forecast.steps(now_s, self._deadline_s)
        chosen: list[float] = []
        held_s = 0.0
        for step in sorted(steps, key=lambda step: (step.grams, step.start_s)):
            if held_s >= needed_s:
                break
            chosen.append(step.start_s)
            held_s += step.end_s - step.start_s
        return min(chosen, default=now_s)

    def saving(self, energy_j: float) -> Saving:
        """What waiting has saved, `energy_j` being the joules of all work."""
        self._note(energy_j)
        carbon_g, at_once_g, active_s = 0.0, 0.0, 0.0
        for (start_s, start_j, paused_s), (end_s, end_j, paused_until_s) in pairwise(self._readings):
            worked_s, spent_j = (end_s - start_s) - (paused_until_s - paused_s), end_j - start_j
            carbon_g += spent_j * self._forecast.at(end_s - worked_s / 2)
            at_once_g += spent_j * self._forecast.at(self._begun_s + active_s + worked_s / 2)
            active_s += worked_s
        return Saving(
            paused_s=self.paused_s,
            pauses=self._pauses,
            carbon_g=carbon_g / J_PER_KWH,
            at_once_g=at_once_g / J_PER_KWH,
            waiting_g_per_w=self._waiting_g_s / J_PER_KWH,
        )

    def _note(self, energy_j: float) -> None:
        if not self._readings:  # what was spent before the first question belongs to the time before it
            self._readings.append((self._begun_s, 0.0, 0.0))
        self._readings.append((self._clock(), energy_j, self.paused_s))


def read_forecast(source: str) -> IntensitySeries:
    """The forecast in a CSV file, or the one that a command prints: ISO 8601 time, grams per kWh. StudyError."""
    if not source.startswith(COMMAND):
        return IntensitySeries.read(Path(source))
    command = source.removeprefix(COMMAND)
    return IntensitySeries.parsed(
        printed_by(command, what="intensity command", wanted="CSV: time,g_per_kwh"), f"the output of {command!r}"
    )


def saving_line(saving: Saving, *, idle_w: float) -> str:
    """The saving in a sentence, with what keeping an idle machine switched on meanwhile emits."""
    if not saving.pauses:
        return "low carbon: nothing to wait for, the run began and ended in the best hours before the deadline"
    pauses = f"{saving.pauses} pause{'s' if saving.pauses > 1 else ''}"
    less = f"{abs(saving.share):.0%} {'less' if saving.share >= 0.0 else 'more'} than starting at once"
    return (
        f"low carbon: waited {readable_seconds(saving.paused_s)} in {pauses}; the run emitted "
        f"{readable_grams(saving.carbon_g)} instead of {readable_grams(saving.at_once_g)} by the forecast, {less}; a "
        f"machine that was on for nothing else meanwhile emitted {readable_grams(idle_w * saving.waiting_g_per_w)}"
    )
