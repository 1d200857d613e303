"""Parts the rows to learn from and the rows to predict, as the study fixed them once."""

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
        learn_rows, judge_rows = np.flatnonzero(batch.learn), np.flatnonzero(batch.judge)
        if len(learn_rows) == 0 or len(judge_rows) == 0:
            raise TrialError(f"{len(learn_rows)} training and {len(judge_rows)} evaluation rows")
        return replace(batch, learn_rows=learn_rows, judge_rows=judge_rows)
