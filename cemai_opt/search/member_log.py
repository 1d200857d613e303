"""What is known of the front candidates that were confirmed and of the members that were tested."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cemai_opt.core.average import Average
from cemai_opt.core.result import TrialResult
from cemai_opt.search.context import SearchContext
from cemai_opt.search.ledger import CONFIRM, FINAL


class MemberLog:
    """Trials that were confirmed or dropped (CONFIRM), and members that were tested (FINAL), in any session.

    `find` also returns results of other drivers. `average` is the best average of members, if one was tried.
    `on_change` is called after each addition.
    """

    def __init__(
        self,
        measured: Sequence[TrialResult] = (),
        tested: Sequence[TrialResult] = (),
        *,
        average: Average | None = None,
        on_change: Callable[[MemberLog], None] = lambda members: None,
    ) -> None:
        self.average, self._on_change = average, on_change
        self._by_why = {
            CONFIRM: {result.trial: result for result in measured},
            FINAL: {result.trial: result for result in tested},
        }

    @property
    def measured(self) -> Mapping[int, TrialResult]:
        """Front candidates with their confirmed scores and costs, or what they had when they were dropped, by trial."""
        return self._by_why[CONFIRM]

    @property
    def tested(self) -> Mapping[int, TrialResult]:
        """Members as they were tested, by trial."""
        return self._by_why[FINAL]

    def find(self, why: str, trial: int, *, context: SearchContext) -> TrialResult | None:
        """The result of a member, from this or another driver; None if there is none yet."""
        known = self._by_why[why].get(trial)
        return known or (context.coordinator.member(why, trial) if context.coordinator else None)

    def add(self, why: str, result: TrialResult, *, context: SearchContext) -> None:
        """Adds the result of a member and publishes it to other drivers."""
        self._by_why[why][result.trial] = result
        self._on_change(self)
        if context.coordinator is not None:
            context.coordinator.post_member(why, result)

    def keep_average(self, average: Average | None) -> None:
        """Replaces the average."""
        self.average = average
        self._on_change(self)
