"""What a run may still spend, in grams and in seconds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable

from cemai_opt.core.result import TrialResult
from cemai_opt.core.spec import StudySpec
from cemai_opt.search.ledger import Ledger

FINAL_RUNS = 3.0
"""Training a member on all rows, testing and explaining it, in units of one of its runs."""


class Allowance:
    """The budget of a run: grams over all sessions, seconds of this one.

    A part is held back for measuring the front again and for testing it, so that these are within the budget as well.
    """

    def __init__(self, study: StudySpec, ledger: Ledger, start_s: float, clock: Callable[[], float] = time.monotonic):
        self._study, self._ledger, self._start_s, self._clock = study, ledger, start_s, clock

    def left_j(self) -> float:
        """Joules until the budget of grams is used up."""
        budget_g = self._study.search.budget_g
        if budget_g is None:
            return math.inf
        return budget_g / self._study.carbon.grams(1.0) - self._ledger.total_j()

    def left_s(self) -> float:
        """Seconds until the time is over."""
        timeout_s = self._study.search.timeout_s
        return math.inf if timeout_s is None else timeout_s - (self._clock() - self._start_s)

    def share_used(self) -> float:
        """Which share of the budget of grams or of the time is used up, whichever is more; 0 where neither is set."""
        search = self._study.search
        grams = 0.0 if search.budget_g is None else self._study.carbon.grams(self._ledger.total_j()) / search.budget_g
        seconds = 0.0 if search.timeout_s is None else 1.0 - self.left_s() / search.timeout_s
        return max(grams, seconds)

    def held_back(self, members: Iterable[TrialResult]) -> tuple[float, float]:
        """Joules and seconds that measuring and testing a front will take."""
        runs = self._study.search.confirm * (self._study.split.folds or 1)
        energy_j = duration_s = 0.0
        for member in members:
            n_runs = FINAL_RUNS + (0.0 if member.repeats_j else runs)
            energy_j += n_runs * member.cost.energy_j
            duration_s += n_runs * member.cost.duration_s
        return energy_j, duration_s

    def why_over(self, energy_j: float = 0.0, duration_s: float = 0.0) -> str | None:
        """Why nothing that takes so much more may begin; None: it may."""
        if self.left_j() <= energy_j:
            return f"the budget of {self._study.search.budget_g:g} g is used up"
        if self.left_s() <= duration_s:
            return f"{self._study.search.timeout_s:g} s are over"
        return None
