"""When a running trial should end: what it may know of the search it belongs to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Limits:
    """Bounds of one trial, in joules of the objective; a plan carries them as JSON.

    `front`: joules and score of every front member, greenest first. `growth`: for a share of a model's full size the
    smallest factor by which the loss (1 - score) of any earlier model of this family still shrank from there on.
    `fold_ratio`: the smallest factor between the loss of any earlier trial and that of its first fold. Both are empty
    or 0 while too little is known: then anything can still happen.
    """

    front: tuple[tuple[float, float], ...] = ()
    cap_j: float = math.inf
    growth: tuple[tuple[float, float], ...] = ()
    fold_ratio: float = 0.0
    spend_j: float = math.inf
    """Joules that the trial may really spend, all folds together."""
    spend_s: float = math.inf

    def is_dominated(self, cost_j: float, score: float) -> bool:
        """Does a front member cost no more and score no less?

        >>> Limits(front=((1.0, 0.5), (3.0, 0.8))).is_dominated(2.0, 0.6)
        False
        """
        return any(member_j <= cost_j and member_score >= score for member_j, member_score in self.front)

    def best_ahead(self, share: float, score: float, momentum: float = 0.0) -> float:
        """The best score that a model can still reach which has this `score` at this share of its full size.

        `momentum` is what the loss shrinks by until the end if it goes on shrinking as it just did; the more hopeful
        of that and of what earlier models did counts. 1 where no earlier model is known.

        >>> Limits(growth=((0.1, 0.2), (0.5, 0.8))).best_ahead(0.6, 0.5, momentum=1.0)
        0.6
        """
        known = [ratio for known_share, ratio in self.growth if known_share <= share]
        if not known:
            return 1.0
        return 1.0 - (1.0 - score) * min(known[-1], momentum)

    def why_overspent(self, spent_j: float, spent_s: float) -> str | None:
        """Is the budget of the search used up? Then the reason, in words."""
        if spent_j >= self.spend_j:
            return "the budget of grams is used up"
        if spent_s >= self.spend_s:
            return "the time is over"
        return None

    def why_too_dear(self, cost_j: float) -> str | None:
        """Is the trial dearer than any that is of use? Then the reason, in words."""
        if cost_j > self.cap_j:
            return f"dearer than {self.cap_j:.3g} J, which is too much for now"
        return None

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values; None for what is not bounded."""
        return {
            "front": [list(pair) for pair in self.front],
            "growth": [list(pair) for pair in self.growth],
            "fold_ratio": self.fold_ratio,
            **{key: _finite(getattr(self, key)) for key in ("cap_j", "spend_j", "spend_s")},
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Limits:
        """The limits that `to_json` wrote."""
        bounds = {key: document[key] for key in ("cap_j", "spend_j", "spend_s")}
        return Limits(
            front=tuple((float(a), float(b)) for a, b in document["front"]),
            growth=tuple((float(a), float(b)) for a, b in document["growth"]),
            fold_ratio=float(document["fold_ratio"]),
            **{key: math.inf if bound is None else float(bound) for key, bound in bounds.items()},
        )


def _finite(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None
