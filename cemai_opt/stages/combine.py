"""Puts the windows of all groups into one training set, or a share of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cemai_opt.core.batch import Batch, Samples
from cemai_opt.core.genes import Gene, real
from cemai_opt.stages._stage import Params, Stage

MIN_ROWS = 30
"""Thinning stops here: fewer rows teach nothing."""


class Combine(Stage):
    """One training set from the windows of all groups, drawn at random where only a share is asked for."""

    order = 70
    is_optional = False
    is_for_new_rows = False

    @classmethod
    def genes(cls) -> tuple[Gene, ...]:
        """The share of the training windows to learn from."""
        return (real("fraction", 0.02, 1.0, 1.0, log=True),)

    @classmethod
    def volume(cls, params: Params) -> float:
        """The share that is learnt from."""
        return float(params.get("fraction", 1.0))

    def _run(self, batch: Batch, params: Params) -> Batch:
        assert batch.windows is not None, "combine runs after sequentialize"
        rows, fraction = batch.learn_rows, float(params["fraction"])
        n_wanted = max(round(fraction * len(rows)), min(MIN_ROWS, len(rows)))
        if n_wanted < len(rows):
            rng = np.random.default_rng(batch.job.seed)
            rows = np.sort(rng.choice(rows, n_wanted, replace=False))
        y = (batch.y[rows] - batch.target_shift) / batch.target_factor
        return replace(batch, samples=Samples(batch.windows.take(rows), y, batch.group[rows]))
