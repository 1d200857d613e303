"""How fast a thread is."""

from __future__ import annotations

import pytest

from cemai_opt.meters import _speed


def test_the_fastest_of_three_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What disturbs one of them does not matter."""
    seconds = iter([0.3, 0.1, 0.2])
    monkeypatch.setattr(_speed, "_once_s", lambda values: next(seconds))
    assert _speed.work_s() == 0.1


def test_it_takes_cpu_time_and_little_of_it() -> None:
    """Less than a forecast is worth."""
    assert 0.0 < _speed.work_s() < 1.0
