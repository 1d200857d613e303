"""Estimates the cost of a pipeline from the pipelines that ran before it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.space import MODEL, Params, SearchSpace
from cemai_opt.models import MODELS
from cemai_opt.search.initial_design import fitted_in
from cemai_opt.search.prior import KnownCost
from cemai_opt.stages import STAGES

NEW_FAMILY = 3.0
"""Factor by which an untried family is expected to cost more per value than the most expensive known family."""
RIDGE = 1.0
REFIT_AFTER = 1.1
"""The model is fitted again when this many times more pipelines are known."""
LOG_VOLUME = -1
"""Place of the logarithm of the volume among the features."""
MIN_KNOWN = 12
"""With fewer pipelines than this, only the mean cost of each family is estimated."""


@dataclass(frozen=True, kw_only=True)
class _Fit:
    weights: np.ndarray
    error: float
    n_known: int


_Rows = list[tuple[np.ndarray, float]]
"""Hyperparameters as numbers, and log joules per volume, of each pipeline of a family."""


class CostModel:
    """Log joules by ridge regression on all hyperparameters, relative to a prior estimate.

    The prior: joules are proportional to the volume, the number of values that a model is trained on times its rounds,
    trees or epochs. The costs of families with few trials can be estimated as well, because windows and features have
    the same effect on all families. Earlier runs on other data say how hyperparameters act on the cost, and how much
    dearer one family is than another.
    """

    def __init__(self, space: SearchSpace, earlier: Sequence[KnownCost] = ()) -> None:
        self._space = space
        self._rows: dict[str, _Rows] = {}
        self._earlier: dict[str, dict[str, _Rows]] = {}
        self._fit: _Fit | None = None
        self._means: dict[str, float] = {}
        self._known: dict[tuple[tuple[str, Value], ...], np.ndarray] = {}
        for known in earlier:
            for params in fitted_in(space, [space.params_of(known.config)]):
                families = self._earlier.setdefault(known.run, {})
                families.setdefault(known.config.model, []).append(self._row(params, known.energy_j))

    def update(self, params: Params, cost_j: float) -> None:
        """Takes the cost of one more pipeline into account."""
        model = str(params[MODEL])
        self._rows.setdefault(model, []).append(self._row(params, cost_j))
        self._means.pop(model, None)

    def low_j(self, params: Params) -> float:
        """A low estimate of a pipeline's joules, one standard error below the expected value; 0 if nothing is known."""
        if not self._rows:
            return 0.0
        fit, features = self._fitted(), self._features(params)
        return math.exp(self._level(str(params[MODEL]), fit) + float(features @ fit.weights) + features[LOG_VOLUME])

    def _level(self, model: str, fit: _Fit) -> float:
        """The mean residual of a family, less one standard error; a guess for a family of which nothing is known."""
        if model in self._rows:
            return self._mean(model, fit) - (fit.error if len(self._rows[model]) > 1 else 0.0)
        compared = [
            level for run in self._earlier.values() if (level := self._compared(model, run, fit=fit)) is not None
        ]
        if compared:
            return float(np.mean(compared)) - fit.error
        return max(self._mean(known, fit) for known in self._rows) + math.log(NEW_FAMILY)

    def _compared(self, model: str, run: Mapping[str, _Rows], *, fit: _Fit) -> float | None:
        """The level of a family by an earlier run, shifted as families that are known in both are; None if none is."""
        both = self._rows.keys() & run.keys()
        if model not in run or not both:
            return None
        shift = np.mean([self._mean(known, fit) - _mean_residual(run[known], fit) for known in both])
        return _mean_residual(run[model], fit) + float(shift)

    def _mean(self, model: str, fit: _Fit) -> float:
        """The mean residual of a known family."""
        if model not in self._means:
            self._means[model] = _mean_residual(self._rows[model], fit)
        return self._means[model]

    def _fitted(self) -> _Fit:
        """The regression within families: the mean of each family is subtracted first."""
        families = [*self._rows.values(), *(rows for run in self._earlier.values() for rows in run.values())]
        n_known = sum(map(len, families))
        if self._fit is None or n_known >= REFIT_AFTER * self._fit.n_known:
            blocks = [(np.array([x for x, _ in rows]), np.array([y for _, y in rows])) for rows in families]
            X = np.concatenate([x - x.mean(axis=0) for x, _ in blocks])
            y = np.concatenate([y - y.mean() for _, y in blocks])
            weights = np.zeros(X.shape[1])
            if n_known >= MIN_KNOWN:
                weights = np.linalg.solve(X.T @ X + RIDGE * np.eye(X.shape[1]), X.T @ y)
            self._fit = _Fit(weights=weights, error=float(np.std(y - X @ weights)), n_known=n_known)
            self._means.clear()
        return self._fit

    def _row(self, params: Params, cost_j: float) -> tuple[np.ndarray, float]:
        features = self._features(params)
        return features, math.log(cost_j) - features[LOG_VOLUME]

    def _features(self, params: Params) -> np.ndarray:
        """Hyperparameters as numbers, then the logarithm of the volume. Kept, since a search asks again and again."""
        key = tuple(sorted(params.items()))
        if key not in self._known:
            self._known[key] = np.array([*self._space.vector(params), self._log_volume(params)])
        return self._known[key]

    def _log_volume(self, params: Params) -> float:
        config = self._space.active(params)
        volume = math.prod(STAGES.find(name).volume(given) for name, given in config.stages.items() if given)
        growth = MODELS.find(config.model).grows_by
        return math.log(volume * (float(config.params("train")[growth]) if growth else 1.0))


def _mean_residual(rows: _Rows, fit: _Fit) -> float:
    return float(np.mean([y - features @ fit.weights for features, y in rows]))
