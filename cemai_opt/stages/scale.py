"""Scales variables, fitted to training rows only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cemai_opt.core.batch import Batch, FittedState, FloatArray, IntArray, Task
from cemai_opt.core.errors import TrialError
from cemai_opt.core.hyperparameters import Hyperparameter, choice
from cemai_opt.core.onnx_graph import OnnxGraph
from cemai_opt.stages._stage import Params, Stage

SCALE = "scale"
MANY_VALUES = 1 << 22
"""Of more values, scikit-learn gets one column at a time: it holds several copies, and is four times slower with a few
long columns than with one."""
CHUNK_ROWS = 1 << 16
"""Rows of a column that are scaled together, so that they stay in the cache."""
METHODS = ("none", "standard", "minmax", "robust")
LOG = "log"
"""The target's logarithm is learned: errors count by their ratio, and factors become sums."""
TARGET, TARGET_METHODS = "scale.target", ("none", "standard", "minmax", LOG)
"""Full name of the hyperparameter by which a regression's target is scaled, and its values."""
SKEWED = 1.0
"""Skewness from which on a search tries the logarithm of a target as well: docs/decisions/families.md."""


class Scale(Stage):
    """Standard, min-max or robust scaling of the inputs, and of a regression's target on request, or its logarithm."""

    order = 50
    is_optional = False

    @classmethod
    def hyperparameters(cls) -> tuple[Hyperparameter, ...]:
        """Scaling the target is for models that need it, networks scale it themselves; its logarithm is for all."""
        return (
            choice("input", METHODS, default="standard"),
            choice("target", TARGET_METHODS, default="none", searched=False),
        )

    def prepare(self, params: Params, task: Task) -> None:
        """Imports scikit-learn, which fits the scaling."""
        import sklearn.preprocessing  # noqa: F401  # imported before the measurement

    @classmethod
    def onnx(cls, graph: OnnxGraph, rows: str, *, params: Params, state: FittedState | None) -> str:
        """Subtracts the center, divides by the spread, and casts to single precision."""
        if state is not None:
            rows = graph.add("Sub", rows, graph.constant(state["center"], np.float64))
            rows = graph.add("Div", rows, graph.constant(state["spread"], np.float64))
        return graph.cast(rows, np.float32)

    def _run(self, batch: Batch, params: Params) -> Batch:
        batch = _target_scaled(batch, str(params["target"]))
        method = str(params["input"])
        if method == "none":
            return batch.with_columns(batch.X.astype(np.float32), batch.names)
        if SCALE not in batch.fitted_states:
            batch = batch.with_fitted_state(SCALE, _fitted_state(batch.X, batch.train_rows, method=method))
        state = batch.fitted_states[SCALE]
        scaled = np.empty(batch.X.shape[::-1], np.float32)
        for column, center, spread, into in zip(batch.X.T, state["center"], state["spread"], scaled, strict=True):
            for first in range(0, len(column), CHUNK_ROWS):
                rows = slice(first, first + CHUNK_ROWS)
                into[rows] = (column[rows] - center) / spread  # in 64 bits, without a 64-bit copy of all columns
        return batch.with_columns(scaled.T, batch.names)


def _fitted_state(X: FloatArray, rows: IntArray, *, method: str) -> FittedState:
    """Center and spread of every column over some rows, so that `(X - center) / spread` is the scaled value."""
    width = X.shape[1] if len(rows) * X.shape[1] <= MANY_VALUES else 1
    parts = [_center_and_spread(X[rows, i : i + width], method) for i in range(0, X.shape[1], width)]
    return {name: np.concatenate([part[name] for part in parts]) for name in ("center", "spread")}


def _center_and_spread(X: FloatArray, method: str) -> FittedState:
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
    """The batch with the scale of its target set; class codes are not scaled."""
    if method == "none" or batch.task.is_classification or not len(batch.train_rows):
        return batch
    y = batch.y[batch.train_rows]
    if method == LOG:
        positive = y[y > 0.0]
        if not len(positive):
            raise TrialError("no target of the training rows is above 0: there are no logarithms")
        return replace(batch, target_low=float(positive.min()), target_high=float(positive.max()))
    shift, factor = (y.mean(), y.std()) if method == "standard" else (y.min(), y.max() - y.min())
    return replace(batch, target_shift=float(shift), target_factor=float(factor) or 1.0)


def is_skewed(y: FloatArray) -> bool:
    """Whether values (n,) are positive with a few large ones among many small ones, and their logarithms less so."""
    if y.min() <= 0.0 or y.min() == y.max():
        return False
    skewness, of_logs = (float(np.mean((x - x.mean()) ** 3) / x.std() ** 3) for x in (y, np.log(y)))
    return skewness >= SKEWED and abs(of_logs) < skewness
