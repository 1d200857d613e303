"""Reads a wall plug, a battery or any other instrument through a command of the user."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable

from cemai_opt.core.commands import printed_by
from cemai_opt.core.errors import CemaiError, MeterError
from cemai_opt.core.units import J_IN_UNIT, W_IN_UNIT
from cemai_opt.meters._meter import Availability
from cemai_opt.meters._shared_counters import Clocks, Counter, SharedCounters

COMMAND = "CEMAI_OPT_METER_COMMAND"
"""Environment variable: the command that `--meter command` runs."""
WANTED = "a number and its unit: joules counted (such as 12.5 kJ, 0.34 kWh) or power now (such as 61.2 W)"
SAMPLE_S = 1.0
"""The command runs once in this time."""


class _Instrument(Counter):
    """The joules of a counter, or of a power that is integrated from sample to sample."""

    def __init__(self, command: str, clock: Callable[[], float], *, in_background: bool) -> None:
        self._command, self._clock, self._lock = command, clock, threading.Lock()
        self._error: MeterError | None = None
        value, self._is_power = self._asked()
        self.watts = value if self._is_power else 0.0
        self.step_j = 0.0
        self._seen_j = 0.0 if self._is_power else value
        self._pending_j, self._at_s = 0.0, clock()
        if in_background:
            threading.Thread(target=self._sample_forever, daemon=True).start()

    def advance_j(self) -> float:
        """Joules since the last call; between two samples, the power of the last one holds."""
        with self._lock:
            if self._error is not None:
                raise self._error
            self._integrate()
            joules, self._pending_j = self._pending_j, 0.0
            return joules

    def sample(self) -> None:
        """Runs the command once. MeterError if it fails, or prints something else than before."""
        value, is_power = self._asked()
        with self._lock:
            if is_power != self._is_power:
                raise MeterError(f"meter command {self._command!r} printed watts and joules in turn", WANTED)
            if is_power:
                self._integrate()
                self.watts = value
            else:
                self._advance(value)

    def _advance(self, value_j: float) -> None:
        if value_j < self._seen_j:
            raise MeterError(
                f"meter command {self._command!r} counts down",
                "a counter that was reset, or a battery that is charged, measures nothing; print -1 times what is left",
            )
        self.step_j, self._seen_j = value_j - self._seen_j, value_j
        self._pending_j += self.step_j

    def _integrate(self) -> None:
        now_s = self._clock()
        self._pending_j += self.watts * (now_s - self._at_s)
        self._at_s = now_s

    def _asked(self) -> tuple[float, bool]:
        """Joules or watts that the command prints, and whether they are watts."""
        text = printed_by(self._command, what="meter command", wanted=WANTED).split()
        try:
            number, unit = float(text[0]), text[1]
            scale = {**J_IN_UNIT, **W_IN_UNIT}[unit]
        except (ValueError, IndexError, KeyError) as error:
            raise MeterError(
                f"meter command {self._command!r} printed {' '.join(text)!r}", f"wanted: {WANTED}"
            ) from error
        if not math.isfinite(number) or (unit in W_IN_UNIT and number < 0):
            raise MeterError(f"meter command {self._command!r} printed {' '.join(text)!r}", f"wanted: {WANTED}")
        return number * scale, unit in W_IN_UNIT

    def _sample_forever(self) -> None:
        while True:
            time.sleep(SAMPLE_S)
            try:
                self.sample()
            except CemaiError as error:  # the next reading of a stage raises it
                self._error = MeterError(error.message, error.hint)
                return


class Command(SharedCounters):
    """A wall plug or a battery by a command of the user, without idle power, attributed by CPU time.

    The whole machine is read, memory and GPU included. One sample a second resolves no trial of milliseconds: its
    stated uncertainty says so.
    """

    rank = 91
    resolution_s = 2 * SAMPLE_S
    covers = frozenset({"ram", "gpu"})
    whose_idle = "whole machine"

    def __init__(
        self,
        command: str = "",
        *,
        clocks: Clocks | None = None,
        idle_w: float | None = None,
        in_background: bool = True,
    ) -> None:
        asked = command or os.environ.get(COMMAND, "")
        if not asked:
            raise MeterError(f"{COMMAND} is not set", f"it must print {WANTED}")
        try:
            self.instrument = _Instrument(asked, (clocks or Clocks()).wall, in_background=in_background)
        except CemaiError as error:
            raise MeterError(error.message, error.hint) from error
        super().__init__("command", [self.instrument], clocks=clocks, idle_w=idle_w)

    @classmethod
    def availability(cls) -> Availability:
        """Readable if a command is given; never selected automatically."""
        if os.environ.get(COMMAND):
            return Availability(True)
        return Availability(False, f"{COMMAND} is not set", "set it to a command that prints joules or watts")

    @property
    def source(self) -> str:
        """How often the instrument is asked; the command itself does not travel with results."""
        return f"command: an instrument every {SAMPLE_S:g} s, {self.attribution_text}"

    def _read_out_j(self) -> float:
        """What one sample more or less would add."""
        return max(self.instrument.watts * SAMPLE_S, self.instrument.step_j)
