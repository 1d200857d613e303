"""Brings variables to a common scale, learnt from training rows only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cemai_opt.core.batch import Batch, Job
from cemai_opt.core.genes import Gene, choice
from cemai_opt.stages._stage import Params, Stage

METHODS = ("none", "standard", "minmax", "robust")


class Scale(Stage):
    """Standard, min-max or robust scaling of the inputs, and of a regression's target on request."""

    order = 50
    is_optional = False

    @classmethod
    def genes(cls) -> tuple[Gene, ...]:
        """The target's scale is for models that need it; networks see to it themselves."""
        return (
            choice("input", METHODS, "standard"),
            choice("target", ("none", "standard", "minmax"), "none", searched=False),
        )

    def prepare(self, params: Params, job: Job) -> None:
        """scikit-learn does the scaling."""
        import sklearn.preprocessing  # noqa: F401  # imported before the clock starts

    def _run(self, batch: Batch, params: Params) -> Batch:
        batch = _target_scaled(batch, str(params["target"]))
        method = str(params["input"])
        if method == "none":
            return batch.with_columns(batch.X.astype(np.float32), batch.names)
        from sklearn import preprocessing

        scaler = {
            "standard": preprocessing.StandardScaler,
            "minmax": preprocessing.MinMaxScaler,
            "robust": preprocessing.RobustScaler,
        }[method]()
        scaler.fit(batch.X[batch.learn_rows])
        return batch.with_columns(scaler.transform(batch.X).astype(np.float32), batch.names)


def _target_scaled(batch: Batch, method: str) -> Batch:
    """The batch with `target_shift` and `target_factor` set: class codes are names, and stay as they are."""
    if method == "none" or batch.job.is_classification:
        return batch
    y = batch.y[batch.learn_rows]
    shift, factor = (y.mean(), y.std()) if method == "standard" else (y.min(), y.max() - y.min())
    return replace(batch, target_shift=float(shift), target_factor=float(factor) or 1.0)
