"""How much memory a trial may use."""

from __future__ import annotations

import psutil
import pytest

from cemai_opt.core.study import EngineSpec
from cemai_opt.engines._memory import trial_bytes


def test_a_trial_gets_what_the_study_says_or_its_share() -> None:
    """Megabytes as given, whatever is free; else an equal part of most of it."""
    assert trial_bytes(EngineSpec(trial_memory_mb=300), 8) == 300_000_000
    one, four = trial_bytes(EngineSpec(), 1), trial_bytes(EngineSpec(), 4)
    assert one == pytest.approx(4 * four, rel=0.3)
    assert 0 < one < psutil.virtual_memory().total
