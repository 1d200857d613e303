"""Waiting for low carbon within a session: its seconds of work, and what waiting has saved."""

from __future__ import annotations

import time
from collections.abc import Callable

from cemai_opt.carbon import LowCarbonGate, saving_line
from cemai_opt.engines import Engine
from cemai_opt.meters import machine_idle
from cemai_opt.runs.forecast import Forecast
from cemai_opt.session.gated_engine import GatedEngine

RESUMED_S, MIN_LEFT_S = 600.0, 10.0
"""Seconds of work that a resumed run is taken to need, and that every run is taken to need to its end."""


class Waiting:
    """Lets an engine start plans when the gate is open; without a gate, always."""

    def __init__(
        self,
        gate: LowCarbonGate | None,
        *,
        forecast: Forecast | None,
        start_s: float,
        spent_j: Callable[[], float],
        announce: Callable[[str], None],
    ) -> None:
        """`forecast` is that of a new run; `start_s` is when the session began; `spent_j` are its joules so far."""
        self._gate, self._start_s, self._spent_j, self._announce = gate, start_s, spent_j, announce
        self._expected_s = forecast.duration_s.high if forecast is not None else RESUMED_S

    def active_s(self) -> float:
        """Seconds of the session so far in which it did not wait."""
        return time.monotonic() - self._start_s - (self._gate.paused_s if self._gate is not None else 0.0)

    def gated(self, engine: Engine) -> Engine:
        """The engine, behind the gate if there is one."""
        return engine if self._gate is None else GatedEngine(engine, self._wait)

    def notes(self) -> list[str]:
        """What waiting has saved; nothing without a gate."""
        if self._gate is None:
            return []
        return [saving_line(self._gate.saving(self._spent_j()), idle_w=machine_idle()[0])]

    def _wait(self) -> None:
        assert self._gate is not None, "nothing waits without a gate"
        left_s = max(self._expected_s - self.active_s(), MIN_LEFT_S)
        self._gate.wait(left_s, self._spent_j(), announce=self._announce)
