"""Estimates the cost of a pipeline from the pipelines that ran before it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.space import MODEL, Params, SearchSpace
from cemai_opt.models import MODELS
from cemai_opt.search.initial_design import fitted_in
from cemai_opt.search.prior import KnownCost
from cemai_opt.stages import STAGES

NEW_FAMILY = 3.0
"""Factor by which an untried family is expected to cost more per value than the most expensive known one that usually
costs no more (`cost_rank`)."""
RIDGE = 1.0
REFIT_AFTER = 1.1
"""The model is fitted again when this many times more pipelines are known."""
LOG_VOLUME = -1
"""Place of the logarithm of the volume among the features."""
MIN_KNOWN = 12
"""With fewer pipelines than this, only the mean cost of each family is estimated."""

N_ASKED = 256
"""Pipelines whose numbers are kept, because a search asks for what waits again and again."""


@dataclass(frozen=True, kw_only=True)
class _Fit:
    weights: np.ndarray
    error: float
    n_known: int


class _Family:
    """Hyperparameters as numbers, and log joules per volume, of each pipeline of a family."""

    def __init__(self) -> None:
        self.features: list[np.ndarray] = []
        self.log_j: list[float] = []
        self._sum_features: np.ndarray | float = 0.0
        self._sum_log_j = 0.0

    def __len__(self) -> int:
        return len(self.log_j)

    def add(self, features: np.ndarray, log_j: float) -> None:
        """One more pipeline."""
        self.features.append(features)
        self.log_j.append(log_j)
        self._sum_features = self._sum_features + features
        self._sum_log_j += log_j

    def mean_residual(self, fit: _Fit) -> float:
        """The mean of what a regression leaves; from sums, because it is asked for before each trial."""
        return (self._sum_log_j - float(self._sum_features @ fit.weights)) / len(self)


class CostModel:
    """Log joules by ridge regression on all hyperparameters, relative to a prior estimate.

    The prior: joules are proportional to the volume, the number of values that a model is trained on times its rounds,
    trees or epochs, and to its effort for each value, which for some models grows with the columns. The costs of
    families with few trials can be estimated as well, because windows and features have the same effect on all
    families. Earlier runs on other data say how hyperparameters act on the cost, and how much dearer one family is than
    another.
    """

    def __init__(self, space: SearchSpace, earlier: Sequence[KnownCost] = (), *, n_inputs: int | None = None) -> None:
        """`earlier`: costs of pipelines in earlier runs on other data. `n_inputs`: columns of the data.

        If that is not known, all values are expected to take the same effort.
        """
        self._space, self._n_inputs = space, n_inputs
        self._families: dict[str, _Family] = {}
        self._earlier: dict[str, dict[str, _Family]] = {}
        self._n_known = 0
        self._fit: _Fit | None = None
        self._numbers_of = lru_cache(N_ASKED)(self._numbers)
        for known in earlier:
            for params in fitted_in(space, [space.params_of(known.config)]):
                self._add(self._earlier.setdefault(known.run, {}), params, cost_j=known.energy_j)

    def update(self, params: Params, cost_j: float) -> None:
        """Takes the cost of one more pipeline into account."""
        self._add(self._families, params, cost_j=cost_j)

    def low_j(self, params: Params) -> float:
        """A low estimate of a pipeline's joules, one standard error below the expected value; 0 if nothing is known."""
        if not self._families:
            return 0.0
        fit, features = self._fitted(), self._features(params)
        return math.exp(self._level(str(params[MODEL]), fit) + float(features @ fit.weights) + features[LOG_VOLUME])

    def _level(self, model: str, fit: _Fit) -> float:
        """The mean residual of a family, less one standard error; a guess for a family of which nothing is known."""
        if model in self._families:
            return self._families[model].mean_residual(fit) - (fit.error if len(self._families[model]) > 1 else 0.0)
        compared = [
            level for run in self._earlier.values() if (level := self._compared(model, run, fit=fit)) is not None
        ]
        if compared:
            return float(np.mean(compared)) - fit.error
        levels = {name: family.mean_residual(fit) for name, family in self._families.items()}
        rank = MODELS.find(model).cost_rank
        no_dearer = [level for name, level in levels.items() if MODELS.find(name).cost_rank <= rank]
        return max(no_dearer or levels.values()) + math.log(NEW_FAMILY)

    def _compared(self, model: str, run: Mapping[str, _Family], *, fit: _Fit) -> float | None:
        """The level of a family by an earlier run, shifted as families that are known in both are; None if none is."""
        both = self._families.keys() & run.keys()
        if model not in run or not both:
            return None
        shift = np.mean([self._families[known].mean_residual(fit) - run[known].mean_residual(fit) for known in both])
        return run[model].mean_residual(fit) + float(shift)

    def _fitted(self) -> _Fit:
        """The regression within families: the mean of each family is subtracted first."""
        if self._fit is None or self._n_known >= REFIT_AFTER * self._fit.n_known:
            families = [*self._families.values(), *(f for run in self._earlier.values() for f in run.values())]
            blocks = [(np.array(family.features), np.array(family.log_j)) for family in families]
            X = np.concatenate([x - x.mean(axis=0) for x, _ in blocks])
            y = np.concatenate([y - y.mean() for _, y in blocks])
            weights = np.zeros(X.shape[1])
            if self._n_known >= MIN_KNOWN:
                weights = np.linalg.solve(X.T @ X + RIDGE * np.eye(X.shape[1]), X.T @ y)
            self._fit = _Fit(weights=weights, error=float(np.std(y - X @ weights)), n_known=self._n_known)
        return self._fit

    def _add(self, families: dict[str, _Family], params: Params, *, cost_j: float) -> None:
        features = self._features(params)
        log_j = math.log(cost_j) - float(features[LOG_VOLUME])
        families.setdefault(str(params[MODEL]), _Family()).add(features, log_j)
        self._n_known += 1

    def _features(self, params: Params) -> np.ndarray:
        """Hyperparameters as numbers, then the logarithm of the volume."""
        return self._numbers_of(tuple(sorted(params.items())))

    def _numbers(self, items: tuple[tuple[str, Value], ...]) -> np.ndarray:
        params = dict(items)
        return np.array([*self._space.vector(params), self._log_volume(params)])

    def _log_volume(self, params: Params) -> float:
        config = self._space.active(params)
        stages = [(STAGES.find(name), given) for name, given in config.stages.items() if given]
        volume = math.prod(stage.volume(given) for stage, given in stages)
        model, train = MODELS.find(config.model), config.params("train")
        volume *= float(train[model.grows_by]) if model.grows_by else 1.0
        if self._n_inputs is not None:
            n_columns = self._n_inputs * math.prod(stage.columns(given) for stage, given in stages)
            volume *= model.effort(train, n_columns)
        return math.log(volume)
