"""The load of the machine by processes outside this process tree."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable

from cemai_opt.meters._cpu_clock import machine_busy_cpu_s, process_tree_cpu_s

SPAN_S = 0.5
"""With kernel ticks of 10 ms, half a second gives a share of the machine with a precision of 2 %."""


class ForeignLoad:
    """Share of the machine's CPU time used by other processes, from 0 to 1, over at least the last half second."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        own_clock: Callable[[], float] = process_tree_cpu_s,
        *,
        busy_clock: Callable[[], float] | None = None,
        cores: int | None = None,
    ) -> None:
        self._clock, self._own, self._cores = clock, own_clock, cores or os.cpu_count() or 1
        self._busy = busy_clock or machine_busy_cpu_s
        self._moments: deque[tuple[float, float, float]] = deque()
        self.begin()

    def begin(self) -> None:
        """Takes a reading; earlier ones are dropped as soon as a later one is old enough."""
        self._moments.append((self._clock(), self._busy(), self._own()))
        while len(self._moments) > 1 and self._moments[-1][0] - self._moments[1][0] >= SPAN_S:
            self._moments.popleft()

    def share(self) -> float:
        """Foreign load since a reading at least half a second ago; 0 if there is none."""
        self.begin()
        if not self._moments or self._moments[-1][0] - self._moments[0][0] < SPAN_S:
            return 0.0
        (start_s, start_busy, start_own), (end_s, end_busy, end_own) = self._moments[0], self._moments[-1]
        foreign_s = max(0.0, (end_busy - start_busy) - (end_own - start_own))
        return min(1.0, foreign_s / (self._cores * (end_s - start_s)))
