"""Derives from finished trials the pruning bounds of the next trial, or the reason not to run it at all."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cemai_opt.core.front import ParetoFront, Point
from cemai_opt.core.objective import objective_j
from cemai_opt.core.pruning_bounds import PruningBounds
from cemai_opt.core.result import TrialResult
from cemai_opt.core.space import MODEL, Params, SearchSpace
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.search.cost_model import CostModel
from cemai_opt.search.prior import KnownCost

CAP_FACTOR = 3.0
"""A trial may cost this many times the cheapest front member within the tolerance of the best.

docs/decisions/green_search.md has the figures.
"""
FREE_SHARE = 0.05
"""Share of trials that are never pruned, so that a rule learned from few trials can be proved wrong."""
CAP_SHARE = 0.01
"""Or this share of what the search has spent so far, if that is more, so that expensive models are tried later."""
FINAL_CAP_SHARE = 0.12
"""This share at the end of a search: the last trials may be expensive, because the cheap ones are known by then."""
STARTED_J = 20.0
"""Joules that are added to what has been spent: about half of what a run costs before its first trial."""
CHEAP_J = 0.1
"""Without a budget of grams, what costs less is never pruned: the driver spends as much on each trial, and a pruned one
counts as well."""
MIN_CURVES = 4
"""Learning curves of a family that must be known before a trial is pruned by comparison with them."""
MIN_FOLDED = 6
"""Trials with several folds that must be known before a trial is pruned by its first fold."""
HOPE, MIN_OF_FAMILY = 0.5, 4
"""Optimistic assumption: a family may still reach this share of the loss of its best pipeline so far. In the portfolio,
after fewer trials than these, a share smaller in proportion: one trial, with features that suit no model, tells little.
"""
SHARES = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85)


class Pruner:
    """Learns from every finished trial and sets the bounds of the next one; deterministic given the study's seed."""

    def __init__(
        self,
        study: ResolvedStudy,
        space: SearchSpace,
        *,
        earlier: Sequence[KnownCost] = (),
        n_inputs: int | None = None,
    ) -> None:
        """`earlier`: costs of pipelines in earlier runs on other data; `n_inputs`: columns of the data, if known."""
        self._study, self._space = study, space
        self._ratios: dict[str, list[list[tuple[float, float]]]] = {}
        self._fold_ratios: list[float] = []
        self._costs = CostModel(space, earlier, n_inputs=n_inputs)
        self._best: dict[str, float] = {}
        self._n_of_family = Counter[str]()

    def update(self, result: TrialResult) -> None:
        """Learns from a finished trial."""
        if not result.is_complete or result.score is None or result.is_repeat:
            return
        params = self._space.params_of(result.config)
        cost_j = objective_j(self._study.objective, result)
        if cost_j > 0.0:
            self._costs.update(params, cost_j)
        self._best[result.model] = max(self._best.get(result.model, -math.inf), result.score)
        if result.parent is not None:
            return
        self._n_of_family[result.model] += 1
        if len(result.fold_scores) > 1 and result.fold_scores[0] < 1.0:
            self._fold_ratios.append((1.0 - result.score) / (1.0 - result.fold_scores[0]))
        if result.curve is not None:
            full = float(params[f"{result.model}.{result.curve.hyperparameter}"])
            sizes = [*(point.size / full for point in result.curve.points), 1.0]
            losses = [*(1.0 - point.score for point in result.curve.points), 1.0 - result.score]
            self._ratios.setdefault(result.model, []).append(_shrinkage(sizes, losses))

    def bounds(
        self,
        number: int,
        params: Params,
        *,
        front: ParetoFront,
        cap_j: float,
        left_j: float,
        left_s: float,
        is_untuned: bool = False,
    ) -> PruningBounds:
        """The bounds of trial `number`; only the budget if trials are not pruned for other reasons.

        Untuned configurations are run to the end, because all others are compared with the best of them; so is what
        costs too little to be worth a rule, unless there is a budget of grams.
        """
        bounds = PruningBounds(spend_j=left_j, spend_s=left_s)
        if not self._study.search.stop_early:
            return bounds
        bounds = replace(bounds, cap_j=cap_j)
        is_cheap = math.isinf(self._study.budget_j) and self._costs.low_j(params) < CHEAP_J
        if is_untuned or is_cheap or self._is_free(number):
            return bounds
        model = str(params[MODEL])
        curves = self._ratios.get(model, [])
        return replace(
            bounds,
            front=tuple((self._joules(point), point.score) for point in front),
            loss_factors=_smallest(curves) if len(curves) >= MIN_CURVES else (),
            fold_ratio=min(self._fold_ratios) if len(self._fold_ratios) >= MIN_FOLDED else 0.0,
        )

    def why_not(
        self, params: Params, model: str, *, front: ParetoFront, cap_j: float, is_bold: bool = False
    ) -> str | None:
        """Why a trial should not run now, given its estimated cost; None if it may run.

        `is_bold`: the cost of a model of which nothing is known is not guessed, and one of which little is known is
        not given up.
        """
        if not self._study.search.stop_early or not len(front) or (is_bold and model not in self._best):
            return None
        cost_j = self._costs.low_j(params)
        if cost_j > cap_j:
            return f"{model} would cost at least {cost_j:.3g} J, above the cap for now ({cap_j:.3g} J)"
        share = HOPE * (min(self._n_of_family[model] / MIN_OF_FAMILY, 1.0) if is_bold else 1.0)
        hope = 1.0 - share * (1.0 - self._best.get(model, 1.0))
        if any(self._joules(point) <= cost_j and point.score >= hope for point in front):
            return f"{model} would cost at least {cost_j:.3g} J, and better pipelines are known for less"
        return None

    def expected_j(self, params: Params) -> float:
        """A low estimate of a pipeline's joules; 0 before the first trial."""
        return self._costs.low_j(params)

    def cap_j(self, front: ParetoFront, spent_j: float, *, progress: float) -> float:
        """Joules above which a pipeline is too expensive for now; the cap rises with what the search has spent.

        `progress` is the share of the search's budget that is used up, from 0 to 1.
        """
        share = CAP_SHARE * math.pow(FINAL_CAP_SHARE / CAP_SHARE, min(progress, 1.0))
        within_j = self._joules(front.within(self._study.search.tolerance)) if len(front) else math.inf
        return min(max(CAP_FACTOR * within_j, share * (STARTED_J + spent_j)), self._study.max_pipeline_j)

    def _is_free(self, number: int) -> bool:
        return float(np.random.default_rng((self._study.seed, number, 7)).random()) < FREE_SHARE

    def _joules(self, point: Point) -> float:
        return point.carbon_g / self._study.carbon.grams(1.0)


def _shrinkage(shares: Sequence[float], losses: Sequence[float]) -> list[tuple[float, float]]:
    """For each share of the full size, the smallest factor by which the loss still decreased from there on."""
    return [
        (share, min(1.0, min(losses[i + 1 :]) / losses[i])) for i, share in enumerate(shares[:-1]) if losses[i] > 0.0
    ]


def _smallest(curves: Sequence[Sequence[tuple[float, float]]]) -> tuple[tuple[float, float], ...]:
    """For each of `SHARES`, the smallest factor of any curve from there on."""
    table = []
    for share in SHARES:
        ratios = [ratio for curve in curves for at, ratio in curve if at >= share]
        if ratios:
            table.append((share, min(ratios)))
    return tuple(table)
