"""Which trials ran beside others on one machine, and how much less is known of what those cost."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.result import TrialResult

COMPANY = 0.04
"""Relative standard uncertainty of a trial beside another one: they share caches and, on a virtual machine, cores.

Equal work took 3.3 % more CPU time beside its like: docs/decisions/engines.md.
"""


@dataclass
class Visit:
    """A trial while it runs; `had_company` is true as soon as another one ran at the same time."""

    had_company: bool = False


class Company:
    """The trials that run now."""

    def __init__(self) -> None:
        self._lock, self._visits = threading.Lock(), list[Visit]()

    @contextmanager
    def visit(self) -> Iterator[Visit]:
        """Counts what runs inside as one trial."""
        own = Visit()
        with self._lock:
            self._visits.append(own)
            if len(self._visits) > 1:
                for visit in self._visits:
                    visit.had_company = True
        try:
            yield own
        finally:
            with self._lock:
                self._visits.remove(own)


def in_company(result: TrialResult) -> TrialResult:
    """The result of a trial that had company: the same joules, less surely known."""
    return replace(result, cost=_less_sure(result.cost), spent=_less_sure(result.spent))


def _less_sure(cost: Cost) -> Cost:
    return Cost(tuple(_wider(row) for row in cost.rows))


def _wider(row: Measurement) -> Measurement:
    return replace(row, uncertainty_j=math.hypot(row.uncertainty_j, COMPANY * row.total_j))
