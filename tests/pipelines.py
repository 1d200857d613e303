"""Runs pipelines over hand-made rows, without a study."""

from __future__ import annotations

import numpy as np

from cemai_opt.core.batch import Batch, Job
from cemai_opt.core.plan import Config
from cemai_opt.pipeline import stage_order
from cemai_opt.stages import STAGES

ALL_FEATURES = {
    "rolling": "all",
    "window_rows": 5,
    "second_window": "4x",
    "trend": "slope_sin_cos",
    "since_start": True,
}


def batch_of(
    X: np.ndarray, y: np.ndarray, group: np.ndarray | None = None, judge: np.ndarray | None = None, **job: object
) -> Batch:
    """A batch whose last group, or last quarter where there is only one, is judged; `job` are fields of the job."""
    group = np.zeros(len(X), np.int64) if group is None else group
    if judge is None:
        judge = group == group[-1] if len(np.unique(group)) > 1 else np.arange(len(X)) >= len(X) * 3 // 4
    fields = {"task": "regression", "score": "r2", **job}
    names = tuple(f"v{i}" for i in range(X.shape[1]))
    return Batch(Job(**fields), X, y, group, ~judge & np.isfinite(y), judge & np.isfinite(y), names)  # type: ignore[arg-type]  # hand-made


def run_stages(batch: Batch, until: str = "evaluate", **stages: dict[str, object]) -> Batch:
    """The batch after all stages up to `until`; `stages` are their parameters, a ridge by default."""
    config = Config({"train": {"model": "ridge"}, **stages})  # type: ignore[dict-item]  # hand-made
    for name in stage_order(STAGES.names):
        stage = STAGES.require(name)
        params = stage.checked(name, config.params(name), batch.job.task)
        stage().prepare(params, batch.job)
        batch = stage().run(batch, params)
        if name == until:
            break
    return batch
