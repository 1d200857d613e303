"""What a run may still spend, in grams and in seconds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from cemai_opt.core.result import TrialResult
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.search.ledger import Ledger

FINAL_RUNS, PLAIN_RUNS, FINAL_J, FINAL_S = 2.0, 1.5, 0.3, 0.3
"""Training a front member on all rows, testing and explaining it is estimated to cost 2 of its runs plus 0.3 J, 0.3 s;
without an explanation 1.5 runs. docs/decisions/selection.md has the figures."""
CANDIDATES_A_MEMBER = 1.5
"""Candidates whose scores are confirmed, for each member of the search's front."""
MAX_PIPELINE = 0.06
"""One run of a pipeline, all its folds together, may cost this share of a budget."""
MAX_RESERVED = 0.5
"""Largest share of a budget that is reserved: at least half of it is left for the search."""


class Budget:
    """The budget of a run: grams over all sessions, seconds of this one.

    A part is reserved for measuring the front again and for testing it, so that these stay within the budget as well.
    """

    def __init__(
        self,
        study: ResolvedStudy,
        ledger: Ledger,
        *,
        start_s: float,
        clock: Callable[[], float] = time.monotonic,
        set_aside_j: float = 0.0,
    ) -> None:
        """`set_aside_j`: joules of the budget that are spent after the run, such as for its report."""
        self._study, self._ledger, self._start_s, self._clock = study, ledger, start_s, clock
        self._set_aside_j = set_aside_j

    def left_j(self) -> float:
        """Joules until the budget of grams is used up; infinite without one."""
        return self._study.budget_j - self._set_aside_j - self._ledger.total_j()

    def left_s(self) -> float:
        """Seconds until the time limit; infinite without one."""
        return self._study.time_limit_s - (self._clock() - self._start_s)

    def share_used(self) -> float:
        """Share of the budget of grams or of the time limit that is used up, whichever is more; 0 without either."""
        grams = 0.0 if math.isinf(self._study.budget_j) else self._ledger.total_j() / self._study.budget_j
        seconds = 0.0 if math.isinf(self._study.time_limit_s) else 1.0 - self.left_s() / self._study.time_limit_s
        return max(grams, seconds)

    @property
    def largest_j(self) -> float:
        """Joules that one pipeline may cost, because its score has to be confirmed on several folds, and tested."""
        return min(MAX_PIPELINE * self._study.budget_j / self._study.split.folds, self._study.max_pipeline_j)

    def reserved(self, members: Sequence[TrialResult], *, n_folds: int) -> tuple[float, float]:
        """Estimated joules and seconds for confirming the scores and costs of a front's candidates and testing it."""
        runs = CANDIDATES_A_MEMBER * max(self._study.search.confirm, n_folds) if self._study.search.confirm else 0.0
        fresh = [member for member in members if not member.repeats_j]
        energy_j, duration_s = self.for_tests(members)
        energy_j += runs * math.fsum(member.cost.energy_j for member in fresh)
        duration_s += runs * math.fsum(member.cost.duration_s for member in fresh)
        max_j, max_s = MAX_RESERVED * self._study.budget_j, MAX_RESERVED * self._study.time_limit_s
        return min(energy_j, max_j), min(duration_s, max_s)

    def for_tests(self, members: Sequence[TrialResult], *, are_explained: bool = True) -> tuple[float, float]:
        """Estimated joules and seconds for testing some trials, with or without explanations."""
        energy_j = duration_s = 0.0
        n_runs = FINAL_RUNS if are_explained else PLAIN_RUNS
        for member in members:
            energy_j += n_runs * member.cost.energy_j + FINAL_J
            duration_s += n_runs * member.cost.duration_s + FINAL_S
        return energy_j, duration_s

    def why_over(self, energy_j: float = 0.0, duration_s: float = 0.0) -> str | None:
        """The reason why the budget does not allow this much more; None if it does."""
        if self.left_j() <= energy_j:
            return f"the budget of {self._study.search.budget_g:g} g is used up"
        if self.left_s() <= duration_s:
            return f"the time limit of {self._study.search.timeout_s:g} s is reached"
        return None
