"""Ends a search whose gains of late have cost more than they are worth."""

from __future__ import annotations

from cemai_opt.core.study import ResolvedStudy
from cemai_opt.core.units import readable_grams

RECENT = 1.0 / 3.0
"""Gains are judged by this last share of the joules that the run has spent."""
MIN_TRIALS = 60
"""Before so many trials, or half of those that are asked for, gains say nothing about those to come."""


class Worth:
    """Compares the gain in the best score with its price.

    The expected gain of the next trial is estimated by the gain per joule over the last third of all joules: stopping
    when the expected gain is worth less than its cost is the rule of Xie et al. (2025), arXiv 2507.12453, who take the
    expected gain from a Gaussian process.
    """

    def __init__(self, study: ResolvedStudy) -> None:
        self._study = study
        self._course: list[tuple[float, float]] = []

    def note(self, spent_j: float, best: float) -> None:
        """The best score after a trial, and the joules of the whole run until then."""
        self._course.append((spent_j, best))

    def why_stop(self) -> str | None:
        """The reason, in words, to end the search; None if there is none, or too little is known."""
        settings = self._study.search
        if settings.worth is None or len(self._course) < min(MIN_TRIALS, settings.trials // 2):
            return None
        spent_j, best = self._course[-1]
        then_j, before = max(c for c in self._course if c[0] <= (1.0 - RECENT) * spent_j or c == self._course[0])
        cost_j, gain = spent_j - then_j, best - before
        if gain * self._study.worth_j >= cost_j:
            return None
        cost = readable_grams(self._study.carbon.grams(cost_j))
        return f"the last {cost} have gained {gain:.4f}: less than --worth {settings.worth!r}"
