"""Combines the windows of all groups, or a share of them, into one training set."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from cemai_opt.core.batch import Batch, IntArray, Samples, WindowRows, group_starts
from cemai_opt.core.hyperparameters import Hyperparameter, real
from cemai_opt.models import MODELS
from cemai_opt.stages._stage import Params, Stage

MIN_ROWS = 30
"""Minimum number of windows that are kept: fewer are not enough to train a model."""

MAX_VALUES = 1 << 28
"""Values of the training windows, 1 GB in 32 bits. Networks read more of them batch by batch; for other models, as many
windows are chosen before they are copied."""


class Combine(Stage):
    """One training set from the windows of all groups, or a share of them: random, or of a series the newest."""

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
        rows = _share(batch, float(params["fraction"]))
        n_possible = MAX_VALUES // math.prod(windows.view.shape[1:])
        reads_batches = len(rows) > n_possible and MODELS.require(self.model).reads_batches
        if len(rows) > n_possible and not reads_batches:
            note = f"trained on {n_possible} of {len(rows)} windows, chosen at random: all of them take too much memory"
            batch, rows = replace(batch, notes=(*batch.notes, note)), _random(rows, n_possible, seed=batch.task.seed)
        y = batch.target.scaled(batch.y[rows])
        X = WindowRows(windows, rows) if reads_batches else windows.take(rows)
        return replace(batch, samples=Samples(X, y, batch.group[rows]))


def _share(batch: Batch, fraction: float) -> IntArray:
    """A share of the training rows, ascending: at random, or the newest of each group if later rows are predicted."""
    rows = batch.train_rows
    n_wanted = max(round(fraction * len(rows)), min(MIN_ROWS, len(rows)))
    if n_wanted == len(rows):
        return rows
    if not batch.task.is_series:
        return _random(rows, n_wanted, seed=batch.task.seed)
    starts = group_starts(batch.group[rows])
    n_of_group = np.bincount(starts, minlength=len(rows))[starts]
    n_later = n_of_group - (np.arange(len(rows)) - starts)
    newest: IntArray = rows[n_later <= np.ceil(n_wanted / len(rows) * n_of_group)]
    return newest


def _random(rows: IntArray, n: int, *, seed: int) -> IntArray:
    return np.sort(np.random.default_rng(seed).choice(rows, n, replace=False))
