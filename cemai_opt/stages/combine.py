"""Combines the windows of all groups, or a share of them, into one training set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cemai_opt.core.batch import Batch, Samples
from cemai_opt.core.hyperparameters import Hyperparameter, real
from cemai_opt.stages._stage import Params, Stage

MIN_ROWS = 30
"""Minimum number of windows that are kept: fewer are not enough to train a model."""


class Combine(Stage):
    """One training set from the windows of all groups, or from a random share of them."""

    order = 70
    is_optional = False
    is_for_new_rows = False

    @classmethod
    def hyperparameters(cls) -> tuple[Hyperparameter, ...]:
        """The share of the training windows to train on."""
        return (real("fraction", 0.02, high=1.0, default=1.0, log=True),)

    @classmethod
    def volume(cls, params: Params) -> float:
        """The share of windows to train on."""
        return float(params.get("fraction", 1.0))

    def _run(self, batch: Batch, params: Params) -> Batch:
        assert batch.windows is not None, "combine runs after sequentialize"
        rows, fraction = batch.train_rows, float(params["fraction"])
        n_wanted = max(round(fraction * len(rows)), min(MIN_ROWS, len(rows)))
        if n_wanted < len(rows):
            rng = np.random.default_rng(batch.task.seed)
            rows = np.sort(rng.choice(rows, n_wanted, replace=False))
        y = (batch.y[rows] - batch.target_shift) / batch.target_factor
        return replace(batch, samples=Samples(batch.windows.take(rows), y, batch.group[rows]))
