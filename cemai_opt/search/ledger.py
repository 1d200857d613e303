"""The joules that a search has spent: by trial state, model family and stage, and between trials."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from cemai_opt.core.ledger_entry import LedgerEntry, merged
from cemai_opt.core.result import TrialResult
from cemai_opt.meters import Meter

FINAL = "final"
"""Entry of the front members' last training, with their test scores and explanations."""
CONFIRM = "confirm"
"""Entry of the repeated measurements of front members."""
AVERAGE = "average"
"""Entry of front members that ran once more because an average needs their predictions."""
DRIVER = "driver"
"""Entry of everything that is not a trial: reading data, importing libraries, sampling, writing."""
OTHERS = "other drivers"
"""Entry of what other drivers of the same study have spent outside their trials."""
LOST = "lost"
"""Entry of what killed sessions had spent on unfinished work."""
READ_EVERY_S = 0.1
"""Meters are read at most this often between two trials: a reading takes a millisecond, and is asked for often."""


class Ledger:
    """Joules spent in this and earlier sessions of a run.

    `start_j` is the sum of all meter readings when the session began; `earlier` is what earlier sessions have spent.
    `others_j`: joules of other drivers outside their trials; `unseen_j`: joules of this session that its own meters do
    not measure.
    """

    def __init__(
        self,
        meters: Sequence[Meter],
        start_j: float,
        *,
        earlier: Sequence[LedgerEntry] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.others_j = 0.0
        self.unseen_j: Callable[[], float] = lambda: 0.0
        self._meters, self._start_j, self._earlier = tuple(meters), start_j, tuple(earlier)
        self._booked: list[LedgerEntry] = []
        self._booked_j = 0.0
        self._elsewhere: list[LedgerEntry] = []
        self._clock, self._session_j, self._read_s = clock, 0.0, -math.inf

    def book(self, result: TrialResult, entry: str | None = None) -> None:
        """Adds what a trial really spent, under its state unless another entry is named."""
        entries = entries_of(result, entry)
        self._booked += entries
        self._booked_j += _joules(entries)
        self._read_s = -math.inf

    def book_elsewhere(self, result: TrialResult) -> None:
        """Adds a trial of another driver, which no meter of this driver has measured."""
        self._elsewhere += entries_of(result)

    def spent(self) -> tuple[LedgerEntry, ...]:
        """Joules so far; the driver's entry is what this process used outside the booked trials."""
        self._read_s = -math.inf
        driver_j = self._session_driver_j()
        others = [LedgerEntry(entry=OTHERS, energy_j=self.others_j)] if self.others_j else []
        driver = LedgerEntry(entry=DRIVER, energy_j=driver_j)
        return merged([*self._earlier, *self._booked, *self._elsewhere, *others, driver])

    def driver_j(self) -> float:
        """Joules of the driver alone."""
        return self._session_driver_j() + _joules([row for row in self._earlier if row.entry == DRIVER])

    def _session_driver_j(self) -> float:
        return max(0.0, self.session_j() - self._booked_j)

    def own_j(self) -> float:
        """Joules of all entries, except what other drivers have spent outside their trials."""
        return self.total_j() - self.others_j

    def session_j(self) -> float:
        """Joules of this session, trials and driver, at most `READ_EVERY_S` ago."""
        now_s = self._clock()
        if now_s - self._read_s >= READ_EVERY_S:
            self._session_j = math.fsum(meter.peek_j() for meter in self._meters) - self._start_j + self.unseen_j()
            self._read_s = now_s
        return self._session_j

    def total_j(self) -> float:
        """Joules of all entries."""
        earlier_j = _joules([*self._earlier, *self._elsewhere]) + self.others_j
        return earlier_j + max(self.session_j(), self._booked_j)


def entries_of(result: TrialResult, entry: str | None = None) -> list[LedgerEntry]:
    """What one trial spent, stage by stage."""
    return [
        LedgerEntry(entry=entry or result.state, model=result.model, stage=row.stage, energy_j=row.total_j)
        for row in result.spent.rows
    ]


def _joules(rows: Sequence[LedgerEntry]) -> float:
    return math.fsum(row.energy_j for row in rows)
