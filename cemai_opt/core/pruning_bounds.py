"""The bounds by which a running trial is pruned, from the state of its search."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

from cemai_opt.core.serialization import RECORD


@dataclass(frozen=True, kw_only=True)
class PruningBounds:
    """Bounds of one trial, in joules of the objective.

    `front`: joules and score of every front member, greenest first. `loss_factors`: for a share of a model's full size,
    the smallest factor by which the loss (1 - score) of any earlier model of this family still decreased from there on.
    `fold_ratio`: the smallest ratio between the loss of any earlier trial and the loss of its first fold. Both are
    empty or 0 while too little is known, and then prune nothing. `cap_j`: joules above which the trial is too
    expensive. `spend_j`, `spend_s`: joules and seconds that the trial may use in total, over all folds.
    """

    __pydantic_config__: ClassVar[ConfigDict] = RECORD

    front: tuple[tuple[float, float], ...] = ()
    cap_j: float = math.inf
    loss_factors: tuple[tuple[float, float], ...] = ()
    fold_ratio: float = 0.0
    spend_j: float = math.inf
    spend_s: float = math.inf

    def is_dominated(self, cost_j: float, score: float) -> bool:
        """Whether a front member costs no more and scores no less.

        >>> PruningBounds(front=((1.0, 0.5), (3.0, 0.8))).is_dominated(2.0, 0.6)
        False
        """
        return any(member_j <= cost_j and member_score >= score for member_j, member_score in self.front)

    def best_ahead(self, share: float, score: float, *, momentum: float = 0.0) -> float:
        """The best score that a model can still reach if it has this `score` at this share of its full size.

        `momentum` extrapolates the last decrease of the loss to a factor until the end; the more optimistic of this and
        of the factor of earlier models applies. 1 if no earlier model is known.

        >>> PruningBounds(loss_factors=((0.1, 0.2), (0.5, 0.8))).best_ahead(0.6, 0.5, momentum=1.0)
        0.6
        """
        known = [ratio for known_share, ratio in self.loss_factors if known_share <= share]
        if not known:
            return 1.0
        return 1.0 - (1.0 - score) * min(known[-1], momentum)

    def why_overspent(self, spent_j: float, spent_s: float) -> str | None:
        """The reason, in words, if the budget of the search is used up; else None."""
        if spent_j >= self.spend_j:
            return "the budget of grams is used up"
        if spent_s >= self.spend_s:
            return "the time limit is reached"
        return None

    def why_too_expensive(self, cost_j: float) -> str | None:
        """The reason, in words, if the trial costs more than the cap; else None."""
        if cost_j > self.cap_j:
            return f"costs more than {self.cap_j:.3g} J, the cap for now"
        return None
