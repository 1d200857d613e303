"""Combines the windows of all groups, or a share of them, into one training set."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from cemai_opt.core.batch import Batch, Samples, WindowRows
from cemai_opt.core.hyperparameters import Hyperparameter, real
from cemai_opt.models import MODELS
from cemai_opt.stages._stage import Params, Stage

MIN_ROWS = 30
"""Minimum number of windows that are kept: fewer are not enough to train a model."""

MAX_VALUES = 1 << 28
"""Values of the training windows, 1 GB in 32 bits. Networks read more of them batch by batch; for other models, as many
windows are chosen before they are copied."""


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
        windows = batch.windows
        assert windows is not None, "combine runs after sequentialize"
        rows, fraction = batch.train_rows, float(params["fraction"])
        n_wanted = max(round(fraction * len(rows)), min(MIN_ROWS, len(rows)))
        n_possible = MAX_VALUES // math.prod(windows.view.shape[1:])
        reads_batches = n_wanted > n_possible and MODELS.require(self.model).reads_batches
        if n_wanted > n_possible and not reads_batches:
            note = f"trained on {n_possible} of {n_wanted} windows, chosen at random: all of them take too much memory"
            batch, n_wanted = replace(batch, notes=(*batch.notes, note)), n_possible
        if n_wanted < len(rows):
            rng = np.random.default_rng(batch.task.seed)
            rows = np.sort(rng.choice(rows, n_wanted, replace=False))
        y = (batch.y[rows] - batch.target_shift) / batch.target_factor
        X = WindowRows(windows, rows) if reads_batches else windows.take(rows)
        return replace(batch, samples=Samples(X, y, batch.group[rows]))
