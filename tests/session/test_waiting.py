"""A session that waits for low carbon counts its work, and not its waiting."""

from __future__ import annotations

import time

import pytest

from cemai_opt.carbon import IntensitySeries, LowCarbonGate
from cemai_opt.session.gated_engine import GatedEngine
from cemai_opt.session.waiting import MIN_LEFT_S, Waiting
from cemai_opt.testing.searches import FormulaEngine

DAY_S = 86400.0


def waiting_of(gate: LowCarbonGate | None, said: list[str]) -> Waiting:
    """The waiting of a session that begins now and has spent ten joules."""
    return Waiting(gate, forecast=None, start_s=time.monotonic(), spent_j=lambda: 10.0, announce=said.append)


def test_without_a_gate_nothing_is_different() -> None:
    """The same engine, no notes, all seconds count."""
    engine, waiting = FormulaEngine(), waiting_of(None, [])
    assert waiting.gated(engine) is engine
    assert waiting.notes() == []
    assert 0.0 <= waiting.active_s() < 1.0


def test_seconds_of_waiting_are_no_seconds_of_work() -> None:
    """So that a time limit does not count them; a resumed run waits, too, and says what that saved."""
    now, said = [0.0], list[str]()
    series = IntensitySeries([0.0, 3600.0], [500.0, 100.0])
    gate = LowCarbonGate(
        series, deadline_s=DAY_S, clock=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds)
    )
    waiting = waiting_of(gate, said)
    gated = waiting.gated(FormulaEngine())
    assert isinstance(gated, GatedEngine)
    gate.wait(MIN_LEFT_S, 0.0, announce=said.append)
    assert gate.paused_s == 3600.0
    assert waiting.active_s() == pytest.approx(-3600.0, abs=1.0)  # this clock is not that of the session
    (note,) = waiting.notes()
    assert note.startswith("low carbon: waited 60 min in 1 pause")
