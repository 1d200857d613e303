"""Which trials compete for the front once the search is over, in which order, and which of them are hopeless."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from cemai_opt.core.front import TIE_FACTOR, Box, ParetoFront, Point
from cemai_opt.core.jackknife import error_of_difference
from cemai_opt.core.objective import objective_j
from cemai_opt.core.result import ScoredRows, TrialResult
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.pipeline.validation import PooledScore, pooled_score

MAX_MEMBERS = 12
"""Members of the search's front that compete, those with the largest contribution to the hypervolume first."""
MAX_BESIDE = 2
"""Trials of each model that compete although they are not on that front."""
EXPLORED_MEMBERS, EXPLORED_BESIDE = 2, 1
"""The same if trials explore on a part of the rows: a contender then costs as much as all trials."""
DEAREST = 10.0
"""Then, what is dearer than this many times the greenest trial that counts as good as the best does not compete."""


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A trial that competes for the front; `gap` is how far its score in the search is below that front.

    `is_untuned`: it is among the best of the untuned, and is confirmed on all folds, because all others are compared
    with the best of these.
    """

    trial: int
    gap: float = 0.0
    is_untuned: bool = False

    @property
    def is_certain(self) -> bool:
        """Whether it competes in any case: it is on the search's front, or among the best of the untuned."""
        return self.is_untuned or self.gap == 0.0


def contenders(
    points: Sequence[Point],
    *,
    models: Mapping[int, str],
    untuned: Iterable[int],
    bounded: Iterable[int] = (),
    tolerance: float,
    is_explored: bool = False,
) -> list[Contender]:
    """The best of the front first; then its other members, the best untuned trials, and trials beside the front.

    `points` are the trials of the search; `bounded` are untuned ones that compete among themselves as well. Beside the
    front are, for each model, those closest to it in score among the model's own front: with another split, they might
    have been on it. `is_explored`: whether trials ran on a part of the rows, so that contenders cost much more than
    they did.
    """
    front = ParetoFront.of(points)
    if not len(front):
        return []
    n_members, n_beside = (EXPLORED_MEMBERS, EXPLORED_BESIDE) if is_explored else (MAX_MEMBERS, MAX_BESIDE)
    plain = [ParetoFront.of(point for point in points if point.trial in set(t)) for t in (untuned, bounded)]
    if is_explored:
        limit_g = DEAREST * front.within(tolerance).carbon_g
        points = [point for point in points if point.carbon_g <= limit_g]
        front = ParetoFront.of(points)
    contribution = front.contributions(Box.around(points))
    by_contribution = sorted(front, key=lambda point: -contribution[point.trial])[:n_members]
    first = [front.best, front.knee, front.within(tolerance)]
    chosen = {point.trial: Contender(trial=point.trial) for point in (*first, *by_contribution)}
    n_picks = 1 if is_explored else 3
    untuned_points = [(own.within(tolerance), own.best, own.knee)[:n_picks] for own in plain if len(own)]
    for point in chain.from_iterable(untuned_points):
        gap = 0.0 if point.trial in chosen else _gap(point, front)
        chosen[point.trial] = Contender(trial=point.trial, gap=gap, is_untuned=True)
    for model in dict.fromkeys(models.values()):
        own = ParetoFront.of(point for point in points if models[point.trial] == model)
        beside = [Contender(trial=point.trial, gap=_gap(point, front)) for point in own if point.trial not in chosen]
        for contender in sorted(beside, key=lambda c: c.gap)[:n_beside]:
            chosen[contender.trial] = contender
    return list(chosen.values())


def in_order(found: Sequence[Contender], costs_j: Mapping[int, float]) -> list[Contender]:
    """The cheapest first, but those that compete in any case before the others, which come by their gap."""
    return sorted(found, key=lambda c: (not c.is_certain, 0.0 if c.is_certain else c.gap, costs_j[c.trial]))


def _gap(point: Point, front: ParetoFront) -> float:
    """How much better the front is for no more grams."""
    return max((p.score for p in front if p.carbon_g <= point.carbon_g), default=point.score) - point.score


class Race:
    """Compares contenders on the folds that they have run so far, paired on the same rows."""

    def __init__(self, study: ResolvedStudy) -> None:
        self._study = study
        self._shifts: list[float] = []
        self._finished: list[tuple[TrialResult, tuple[ScoredRows, ...]]] = []

    def enter(self, result: TrialResult, parts: Sequence[ScoredRows] = ()) -> None:
        """A contender whose score is confirmed; `parts` are its rows by fold, if they are known."""
        if not result.is_confirmed or result.score is None or result.searched_score is None:
            return
        self._shifts.append(result.searched_score - result.score)
        self._finished.append((result, tuple(parts)))

    def may_win(self, contender: Contender) -> bool:
        """Whether its gap to the front is no more than the scores of confirmed contenders differ between splits."""
        return contender.is_certain or contender.gap <= (
            statistics.pstdev(self._shifts) if len(self._shifts) > 1 else 0.0
        )

    def is_hopeless(self, pooled: PooledScore | None, cost_j: float, *, n_folds: int) -> bool:
        """Whether a confirmed contender of no more cost is significantly better on the first `n_folds` folds."""
        rivals = [
            (result, parts)
            for result, parts in self._finished
            if parts and objective_j(self._study.objective, result) <= cost_j
        ]
        if not rivals or pooled is None:
            return False
        _, parts = max(rivals, key=lambda rival: rival[0].score or 0.0)
        rival = pooled_score(parts[:n_folds], self._study)
        error = error_of_difference(rival.without, pooled.without)
        return error > 0.0 and rival.score - pooled.score > TIE_FACTOR * error
