"""What finished trials say of those to come: the limits that a trial is run with, or why it is not run at all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from cemai_opt.core.front import Front, Point
from cemai_opt.core.genes import Value
from cemai_opt.core.limits import Limits
from cemai_opt.core.objective import objective_j
from cemai_opt.core.result import TrialResult
from cemai_opt.core.space import SearchSpace
from cemai_opt.core.spec import StudySpec
from cemai_opt.search.cost_model import CostModel

CAP_FACTOR = 3.0
"""A trial may cost so many times what the dearest useful front member costs; docs/decisions/green_search.md."""
FREE_SHARE = 0.05
"""So many trials are let through, so that a rule which was learnt from few trials can be proved wrong."""
CAP_SHARE = 0.01
"""Or this share of all that the search has spent so far, whichever is more: so dearer kinds have their turn later."""
FINAL_CAP_SHARE = 0.3
"""That share at the end of a search: its last trials may go into what is dear, the cheap ones being known."""
MIN_CURVES = 4
"""Curves of a family that have to be known before another one is ended by comparison."""
MIN_FOLDED = 6
"""Trials with several folds that have to be known before a first fold says anything."""
HOPE = 0.5
"""A family may still come to lose so much less than its best pipeline so far."""
SHARES = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85)


class Outlook:
    """Learns from every finished trial, and draws the line for the next one. Nothing of it is random but the seed."""

    def __init__(self, study: StudySpec, space: SearchSpace) -> None:
        self._study, self._space = study, space
        self._ratios: dict[str, list[list[tuple[float, float]]]] = {}
        self._fold_ratios: list[float] = []
        self._costs = CostModel(space)
        self._best: dict[str, float] = {}

    def learn(self, result: TrialResult) -> None:
        """Takes a finished trial into account."""
        if not result.is_complete or result.score is None or result.is_repeat:
            return
        genome = self._space.genome_of(result.config)
        cost_j = objective_j(self._study.objective, result)
        if cost_j > 0.0:
            self._costs.learn(genome, cost_j)
        self._best[result.model] = max(self._best.get(result.model, -math.inf), result.score)
        if result.parent is not None:
            return
        if len(result.fold_scores) > 1 and result.fold_scores[0] < 1.0:
            self._fold_ratios.append((1.0 - result.score) / (1.0 - result.fold_scores[0]))
        if result.curve is not None:
            full = float(genome[f"{result.model}.{result.curve.knob}"])
            sizes = [*(point.size / full for point in result.curve.points), 1.0]
            losses = [*(1.0 - point.score for point in result.curve.points), 1.0 - result.score]
            self._ratios.setdefault(result.model, []).append(_shrinkage(sizes, losses))

    def limits(self, number: int, model: str, front: Front, cap_j: float, left_j: float, left_s: float) -> Limits:
        """What trial `number` is told; only the budget where trials are not to be ended for another reason."""
        limits = Limits(spend_j=left_j, spend_s=left_s)
        if not self._study.search.stop_early:
            return limits
        limits = replace(limits, cap_j=cap_j)
        if self._is_free(number):
            return limits
        curves = self._ratios.get(model, [])
        return replace(
            limits,
            front=tuple((self._joules(point), point.score) for point in front),
            growth=_smallest(curves) if len(curves) >= MIN_CURVES else (),
            fold_ratio=min(self._fold_ratios) if len(self._fold_ratios) >= MIN_FOLDED else 0.0,
        )

    def why_not(self, genome: Mapping[str, Value], model: str, front: Front, cap_j: float) -> str | None:
        """Why a trial should not be run now, by the cost that trials of its family foretell; None: run it."""
        if not self._study.search.stop_early or not len(front):
            return None
        cost_j = self._costs.low_j(genome)
        if cost_j > cap_j:
            return f"{model} would cost at least {cost_j:.3g} J, more than {cap_j:.3g} J is too much for now"
        hope = 1.0 - HOPE * (1.0 - self._best.get(model, 1.0))
        if any(self._joules(point) <= cost_j and point.score >= hope for point in front):
            return f"{model} would cost at least {cost_j:.3g} J, and better ones are known for less"
        return None

    def cap_j(self, front: Front, spent_j: float, progress: float) -> float:
        """Joules above which a pipeline is of no use, as long as so little was spent; nothing is too dear for ever.

        `progress` is the share of the search's budget that is used up, from 0 to 1.
        """
        share = CAP_SHARE * math.pow(FINAL_CAP_SHARE / CAP_SHARE, min(progress, 1.0))
        useful_j = self._joules(front.within(self._study.search.tolerance)) if len(front) else math.inf
        return min(max(CAP_FACTOR * useful_j, share * spent_j), self._max_j())

    def _is_free(self, number: int) -> bool:
        return float(np.random.default_rng((self._study.seed, number, 7)).random()) < FREE_SHARE

    def _max_j(self) -> float:
        """Joules that the user allows a pipeline."""
        max_g = self._study.search.max_carbon_g
        return math.inf if max_g is None else max_g / self._study.carbon.grams(1.0)

    def _joules(self, point: Point) -> float:
        return point.carbon_g / self._study.carbon.grams(1.0)


def _shrinkage(shares: Sequence[float], losses: Sequence[float]) -> list[tuple[float, float]]:
    """For each share of the full size the factor by which the loss still shrank, at best, from there on."""
    return [
        (share, min(1.0, min(losses[i + 1 :]) / losses[i])) for i, share in enumerate(shares[:-1]) if losses[i] > 0.0
    ]


def _smallest(curves: Sequence[Sequence[tuple[float, float]]]) -> tuple[tuple[float, float], ...]:
    """For each of `SHARES` the smallest factor of any curve from there on."""
    table = []
    for share in SHARES:
        ratios = [ratio for curve in curves for at, ratio in curve if at >= share]
        if ratios:
            table.append((share, min(ratios)))
    return tuple(table)
