"""Clocks that tests of meters move by hand."""

from __future__ import annotations

import pytest

from cemai_opt.meters._shared_counters import Clocks


class HandClocks:
    """CPU seconds of this process and of the machine, and seconds on the wall, moved by hand."""

    own_s, busy_s, now_s = 0.0, 0.0, 0.0

    @property
    def readings(self) -> Clocks:
        """What a meter asks."""
        return Clocks(own=lambda: self.own_s, busy=lambda: self.busy_s, wall=lambda: self.now_s)

    def alone(self, seconds: float) -> None:
        """This process alone is busy for a time."""
        self.own_s, self.busy_s, self.now_s = self.own_s + seconds, self.busy_s + seconds, self.now_s + seconds


@pytest.fixture
def clocks() -> HandClocks:
    """Fresh clocks."""
    return HandClocks()
