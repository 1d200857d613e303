"""Brings variables to a common scale, learnt from training rows only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cemai_opt.core.batch import Batch, FloatArray, Job, Learnt
from cemai_opt.core.genes import Gene, choice
from cemai_opt.core.onnx_graph import OnnxGraph
from cemai_opt.stages._stage import Params, Stage

SCALE = "scale"
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

    @classmethod
    def onnx(cls, graph: OnnxGraph, rows: str, params: Params, learnt: Learnt | None) -> str:
        """Center and spread, then single precision."""
        if learnt is not None:
            rows = graph.add("Sub", rows, graph.constant(learnt["center"], np.float64))
            rows = graph.add("Div", rows, graph.constant(learnt["spread"], np.float64))
        return graph.cast(rows, np.float32)

    def _run(self, batch: Batch, params: Params) -> Batch:
        batch = _target_scaled(batch, str(params["target"]))
        method = str(params["input"])
        if method == "none":
            return batch.with_columns(batch.X.astype(np.float32), batch.names)
        if SCALE not in batch.learnt:
            batch = batch.with_learnt(SCALE, _learnt(batch.X[batch.learn_rows], method))
        learnt = batch.learnt[SCALE]
        scaled = batch.X - learnt["center"]
        scaled /= learnt["spread"]
        return batch.with_columns(scaled.astype(np.float32), batch.names)


def _learnt(X: FloatArray, method: str) -> Learnt:
    """Center and spread of every column, so that `(X - center) / spread` is the scaled value."""
    from sklearn import preprocessing

    if method == "minmax":
        scaler = preprocessing.MinMaxScaler().fit(X)
        return {"center": scaler.data_min_, "spread": 1.0 / scaler.scale_}
    if method == "robust":
        scaler = preprocessing.RobustScaler().fit(X)
        return {"center": scaler.center_, "spread": scaler.scale_}
    scaler = preprocessing.StandardScaler().fit(X)
    return {"center": scaler.mean_, "spread": scaler.scale_}


def _target_scaled(batch: Batch, method: str) -> Batch:
    """The batch with `target_shift` and `target_factor` set: class codes are names, and stay as they are."""
    if method == "none" or batch.job.is_classification or not len(batch.learn_rows):
        return batch
    y = batch.y[batch.learn_rows]
    shift, factor = (y.mean(), y.std()) if method == "standard" else (y.min(), y.max() - y.min())
    return replace(batch, target_shift=float(shift), target_factor=float(factor) or 1.0)
