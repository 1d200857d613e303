"""What a run may still spend, in grams and in seconds."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable

from cemai_opt.core.result import TrialResult
from cemai_opt.core.spec import StudySpec
from cemai_opt.search.ledger import Ledger

FINAL_RUNS, FINAL_J, FINAL_S = 3.0, 1.0, 0.3
"""Training a member on all rows, testing and explaining it: so many of its runs, and so much whatever it is."""
EXPLAIN_J, EXPLAIN_S = 30.0, 6.0
"""Importing and compiling shap, once."""
MAX_HELD_BACK = 0.5
"""Half of a small budget is for the search all the same."""


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
        """Joules and seconds that measuring a front again, and testing it, will take."""
        members = tuple(members)
        runs = self._study.search.confirm * (self._study.split.folds or 1)
        fresh = [member for member in members if not member.repeats_j]
        energy_j, duration_s = self.for_tests(members)
        energy_j += runs * math.fsum(member.cost.energy_j for member in fresh)
        duration_s += runs * math.fsum(member.cost.duration_s for member in fresh)
        search = self._study.search
        most_j = math.inf if search.budget_g is None else search.budget_g / self._study.carbon.grams(1.0)
        most_s = math.inf if search.timeout_s is None else search.timeout_s
        return min(energy_j, MAX_HELD_BACK * most_j), min(duration_s, MAX_HELD_BACK * most_s)

    def for_tests(self, members: Iterable[TrialResult], explained: bool = True) -> tuple[float, float]:
        """Joules and seconds that testing some trials will take, with or without explaining them."""
        energy_j = duration_s = 0.0
        if explained and self._study.search.explain != "never" and "shap" not in sys.modules:
            energy_j, duration_s = EXPLAIN_J, EXPLAIN_S
        for member in members:
            energy_j += FINAL_RUNS * member.cost.energy_j + FINAL_J
            duration_s += FINAL_RUNS * member.cost.duration_s + FINAL_S
        return energy_j, duration_s

    def why_over(self, energy_j: float = 0.0, duration_s: float = 0.0) -> str | None:
        """Why nothing that takes so much more may begin; None: it may."""
        if self.left_j() <= energy_j:
            return f"the budget of {self._study.search.budget_g:g} g is used up"
        if self.left_s() <= duration_s:
            return f"{self._study.search.timeout_s:g} s are over"
        return None
