"""Separates the training rows from the evaluation rows, as fixed by the study."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cemai_opt.core.batch import Batch
from cemai_opt.core.errors import TrialError
from cemai_opt.stages._stage import Params, Stage


class Split(Stage):
    """Row numbers of the training and of the evaluation rows."""

    order = 40
    is_optional = False
    is_for_new_rows = False

    def _run(self, batch: Batch, params: Params) -> Batch:
        train_rows, eval_rows = np.flatnonzero(batch.is_train), np.flatnonzero(batch.is_eval)
        if len(train_rows) == 0 or len(eval_rows) == 0:
            raise TrialError(f"{len(train_rows)} training and {len(eval_rows)} evaluation rows")
        return replace(batch, train_rows=train_rows, eval_rows=eval_rows)
