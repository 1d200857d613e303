"""Foretells what a pipeline will cost, from the pipelines that ran before it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cemai_opt.core.genes import Value
from cemai_opt.core.space import MODEL, SearchSpace
from cemai_opt.models import MODELS
from cemai_opt.stages import STAGES

NEW_FAMILY = 3.0
"""A family that was never tried is expected to cost so many times more, for each value, than the dearest one known."""
RIDGE = 1.0
REFIT_AFTER = 1.1
"""The fit is made anew when so many times more pipelines are known."""
MIN_KNOWN = 12
"""Fewer pipelines than this say no more than how dear their families are."""


@dataclass(frozen=True)
class _Fit:
    center: np.ndarray
    level: float
    weights: np.ndarray
    error: float
    n_known: int


class CostModel:
    """Log joules by ridge regression on all genes, on top of what is known beforehand.

    Beforehand: joules are proportional to the volume, the number of values that a model learns from times the rounds,
    trees or epochs in which it looks at them. So little-known families can be judged as well, because windows and
    features cost all of them alike.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._rows: list[tuple[str, np.ndarray, float]] = []
        self._fit: _Fit | None = None

    def learn(self, genome: Mapping[str, Value], cost_j: float) -> None:
        """Takes the cost of one more pipeline into account."""
        residual = math.log(cost_j) - self._log_volume(genome)
        self._rows.append((str(genome[MODEL]), self._features(genome), residual))

    def low_j(self, genome: Mapping[str, Value]) -> float:
        """Joules that a pipeline will at least cost, one standard error below what is expected; 0: nothing is known."""
        if not self._rows:
            return 0.0
        model, fit = str(genome[MODEL]), self._fitted()
        own = [self._residual(row, fit) for row in self._rows if row[0] == model]
        if own:
            level = float(np.mean(own)) - (fit.error if len(own) > 1 else 0.0)
        else:
            families = {name for name, _, _ in self._rows}
            means = [np.mean([self._residual(row, fit) for row in self._rows if row[0] == f]) for f in families]
            level = float(max(means)) + math.log(NEW_FAMILY)
        return math.exp(level + self._explained(self._features(genome), fit) + self._log_volume(genome))

    def _fitted(self) -> _Fit:
        """The regression within families: each one's own level is taken off before."""
        n_known = len(self._rows)
        if self._fit is None or n_known >= REFIT_AFTER * self._fit.n_known:
            X = np.array([features for _, features, _ in self._rows])
            y = np.array([residual for _, _, residual in self._rows])
            families = np.array([model for model, _, _ in self._rows])
            for family in set(families.tolist()):
                own = families == family
                X[own], y[own] = X[own] - X[own].mean(axis=0), y[own] - y[own].mean()
            weights = np.zeros(X.shape[1])
            if n_known >= MIN_KNOWN:
                weights = np.linalg.solve(X.T @ X + RIDGE * np.eye(X.shape[1]), X.T @ y)
            self._fit = _Fit(np.zeros(X.shape[1]), 0.0, weights, float(np.std(y - X @ weights)), n_known)
        return self._fit

    def _residual(self, row: tuple[str, np.ndarray, float], fit: _Fit) -> float:
        return row[2] - self._explained(row[1], fit)

    def _explained(self, features: np.ndarray, fit: _Fit) -> float:
        return float(features @ fit.weights)

    def _features(self, genome: Mapping[str, Value]) -> np.ndarray:
        return np.array([*self._space.vector(genome), self._log_volume(genome)])

    def _log_volume(self, genome: Mapping[str, Value]) -> float:
        config = self._space.active(genome)
        volume = math.prod(STAGES.find(name).volume(params) for name, params in config.stages.items() if params)
        knob = MODELS.find(config.model).grows_by
        return math.log(volume * (float(config.params("train")[knob]) if knob else 1.0))
