"""Runs stages over rows made by hand, without a study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cemai_opt.core.batch import Batch, BoolArray, FloatArray, IntArray, Task
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.plan import Config
from cemai_opt.pipeline import stage_order
from cemai_opt.stages import STAGES


def batch_of(
    X: FloatArray,
    y: FloatArray,
    *,
    group: IntArray | None = None,
    is_eval: BoolArray | None = None,
    kind: str = "regression",
    score: str = "r2",
    **task: Any,
) -> Batch:
    """A batch of the rows `X` (n, n_features) with the target `y` (n,); `task` are further fields of `Task`.

    By default it has one group. The evaluation rows are `is_eval`, else the last group, or the last quarter of the
    only one.
    """
    group = np.zeros(len(X), np.int64) if group is None else group
    if is_eval is None:
        is_eval = group == group[-1] if len(np.unique(group)) > 1 else np.arange(len(X)) >= len(X) * 3 // 4
    has_target = np.isfinite(y)
    return Batch(
        task=Task(kind=kind, score=score, **task),
        X=X,
        y=y,
        group=group,
        is_train=~is_eval & has_target,
        is_eval=is_eval & has_target,
        names=tuple(f"v{i}" for i in range(X.shape[1])),
    )


def run_stages(batch: Batch, *, until: str = "evaluate", **params: Mapping[str, Value]) -> Batch:
    """The batch after all stages up to `until`.

    `params` are the parameters of stages by name, `train={"model": "ridge"}` by default. StudyError names a parameter
    that is unknown or outside its range.
    """
    config = Config({"train": {"model": "ridge"}, **params})
    for name in stage_order(STAGES.names):
        kind = STAGES.require(name)
        checked = kind.checked(name, config.params(name), task=batch.task.kind)
        stage = kind()
        stage.model = config.model
        stage.prepare(checked, batch.task)
        batch = stage.run(batch, checked)
        if name == until:
            break
    return batch
