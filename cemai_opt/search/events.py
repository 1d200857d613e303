"""Callbacks that report the progress of a run; a subclass overrides the methods that it needs."""

from __future__ import annotations

from dataclasses import dataclass

from cemai_opt.core.front import ParetoFront
from cemai_opt.core.result import TrialResult


@dataclass(frozen=True, kw_only=True)
class SearchState:
    """The progress of a search."""

    done: int
    trials: int
    front: ParetoFront
    hypervolume: float
    spent_g: float


class Events:
    """Callbacks of a run; by default none of them does anything."""

    def on_result(self, result: TrialResult, state: SearchState) -> None:
        """A trial has finished: run, pruned, failed, skipped, or added from a learning curve."""

    def on_phase(self, text: str) -> None:
        """A new phase begins, such as measuring a front member again."""

    def on_run(self, why: str, result: TrialResult) -> None:
        """A pipeline has run to measure (CONFIRM) or to test (FINAL) a front member."""

    def on_tick(self) -> None:
        """About a second has passed."""
