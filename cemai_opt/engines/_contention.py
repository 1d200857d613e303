"""Detects trials that ran at the same time on one machine, and increases the uncertainty of their cost."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.result import TrialResult

CONTENTION = 0.04
"""Relative standard uncertainty of concurrent trials: they share caches and, on a virtual machine, cores.

Equal work took 3.3 % more CPU time when run concurrently: docs/decisions/engines.md.
"""


@dataclass
class RunningTrial:
    """A running trial; `had_neighbours` is true as soon as another trial has run at the same time."""

    had_neighbours: bool = False


class Contention:
    """The set of trials that are running now."""

    def __init__(self) -> None:
        self._lock, self._trials = threading.Lock(), list[RunningTrial]()

    @contextmanager
    def running(self) -> Iterator[RunningTrial]:
        """A context whose body counts as one running trial."""
        own = RunningTrial()
        with self._lock:
            self._trials.append(own)
            if len(self._trials) > 1:
                for running in self._trials:
                    running.had_neighbours = True
        try:
            yield own
        finally:
            with self._lock:
                self._trials.remove(own)


def under_contention(result: TrialResult) -> TrialResult:
    """The result of a trial that ran at the same time as others: the same joules with a larger uncertainty."""
    return replace(result, cost=_less_sure(result.cost), spent=_less_sure(result.spent))


def _less_sure(cost: Cost) -> Cost:
    return Cost(tuple(_wider(row) for row in cost.rows))


def _wider(row: Measurement) -> Measurement:
    return replace(row, uncertainty_j=math.hypot(row.uncertainty_j, CONTENTION * row.total_j))
