"""The rows that pass through the stages of a pipeline; each stage returns a new batch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.integer[Any]]
BoolArray = npt.NDArray[np.bool_]
CHUNK_VALUES = 1 << 16
"""Values of windows that are copied together."""
FittedState = Mapping[str, npt.NDArray[Any]]
"""The state that a stage has fitted to the training rows: arrays by name, sufficient to transform new rows."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """The task of a pipeline: `kind` is "regression" or "classification", `score` the score to maximise."""

    kind: Annotated[str, Field(alias="task")]
    score: str
    n_classes: int = 0
    seed: int = 0
    threads: int = 1
    device: str = "cpu"
    threshold: float | None = None
    """Of two classes, the second one is predicted if its score is above this; the one with the higher score if None."""
    n_levels: tuple[int, ...] = ()
    """Number of categories of each input that holds codes of categories; these are the last inputs."""
    is_series: bool = False
    """Whether later rows of the same groups are to be predicted, rather than rows of other groups."""

    @property
    def is_classification(self) -> bool:
        """Whether the target is a class rather than a number."""
        return self.kind == "classification"


@dataclass(frozen=True)
class Windows:
    """A view of the last `window` rows before each row, padded at the start of a group; nothing is copied.

    `view`: (n_starts, n_features, window), read-only; `starts`: (n_rows,) maps a row to its window in `view`.
    """

    view: FloatArray
    starts: IntArray

    def take(self, rows: IntArray) -> FloatArray:
        """Windows of the given rows, as a copy: (n, window, n_features), oldest row first."""
        _, n_features, window = self.view.shape
        if window == 1:
            return np.ascontiguousarray(self.view[self.starts[rows]].transpose(0, 2, 1))
        made = np.empty((len(rows), window, n_features), self.view.dtype)
        n_together = max(1, CHUNK_VALUES // (window * n_features))  # all at once would need the memory twice
        for first in range(0, len(rows), n_together):
            chunk = slice(first, first + n_together)
            made[chunk] = self.view[self.starts[rows[chunk]]].transpose(0, 2, 1)
        return made


@dataclass(frozen=True)
class WindowRows:
    """The windows of some rows, copied only when they are asked for: an array-like (n, window, n_features)."""

    windows: Windows
    rows: IntArray

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n, window, n_features)."""
        _, n_features, window = self.windows.view.shape
        return len(self.rows), window, n_features

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, chosen: IntArray | slice) -> FloatArray:
        return self.windows.take(self.rows[chosen])

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> FloatArray:
        return np.asarray(self[:], dtype)


@dataclass(frozen=True)
class Samples:
    """Training samples of a model: `X` (n, window, n_features), `y` (n,), `group` (n,)."""

    X: FloatArray | WindowRows
    y: FloatArray
    group: IntArray


MARGIN = 10.0
"""A target whose logarithm is learned is predicted as at most this many times the largest one of the training rows."""


@dataclass(frozen=True, kw_only=True)
class TargetScale:
    """A model learns `(target - shift) / factor`; of the target's logarithm if `high` is above 0.

    `low` and `high` are the smallest and the largest positive target of the training rows then.
    """

    shift: float = 0.0
    factor: float = 1.0
    low: float = 0.0
    high: float = 0.0

    @property
    def is_log(self) -> bool:
        """Whether the logarithm is learned."""
        return self.high > 0.0

    def scaled(self, target: FloatArray) -> FloatArray:
        """What the model learns; a target without a logarithm counts as a tenth of the smallest positive one.

        >>> TargetScale(low=1.0, high=100.0).scaled(np.array([100.0, 0.0])).round(3)
        array([ 4.605, -2.303])
        """
        if self.is_log:
            target = np.log(np.maximum(target, self.low / MARGIN))
        scaled: FloatArray = (target - self.shift) / self.factor
        return scaled

    def unscaled(self, output: FloatArray) -> FloatArray:
        """A prediction in the target's own unit.

        >>> TargetScale(low=1.0, high=100.0).unscaled(np.array([0.0, 900.0])).round(3)
        array([   1., 1000.])
        """
        value: FloatArray = output * self.factor + self.shift
        return np.exp(np.minimum(value, math.log(MARGIN * self.high))) if self.is_log else value


@dataclass(frozen=True)
class Prediction:
    """Predictions for n rows: `value` (n,), and for classes their scores `by_class` (n, n_classes)."""

    value: FloatArray
    by_class: FloatArray | None = None


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Statistics of the training rows, one number per column; NaNs count for `missing` only."""

    missing: FloatArray
    zeros: FloatArray
    low: FloatArray
    high: FloatArray
    mean: FloatArray
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Batch:
    """All rows of a data set while they pass through a pipeline.

    `X`: (n_rows, n_features), NaN where a value is missing, rows of a group contiguous and in time order.
    `y`: (n_rows,), NaN where a row has no target; class codes 0..n_classes-1 for a classification.
    `group`: (n_rows,) number of the group. `is_train` and `is_eval`: (n_rows,) rows to train on and rows to predict;
    a row in neither serves as history only. `fitted_states` holds the fitted state of each stage, by stage; a stage
    that finds its own entry there only transforms. `place`: (n_rows,) position of each row in its group, None if the
    batch holds whole groups. `regime`: columns by which operating regimes are told apart, empty for all. `codes`:
    (n_rows, n_codes) codes of categories, -1 if unknown, with their `code_names`: they join the other columns in
    windows. Fields below are set by the stage named in their comment.
    """

    task: Task
    X: FloatArray
    y: FloatArray
    group: IntArray
    is_train: BoolArray
    is_eval: BoolArray
    names: tuple[str, ...]
    fitted_states: Mapping[str, FittedState] = field(default_factory=dict)
    place: IntArray | None = None
    regime: tuple[str, ...] = ()
    codes: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    code_names: tuple[str, ...] = ()
    profile: Profile | None = None  # profile
    train_rows: IntArray = field(default_factory=lambda: np.empty(0, np.intp))  # split
    eval_rows: IntArray = field(default_factory=lambda: np.empty(0, np.intp))  # split
    target_shift: float = 0.0  # scale
    target_factor: float = 1.0  # scale
    target_low: float = 0.0  # scale
    target_high: float = 0.0  # scale
    windows: Windows | None = None  # sequentialize
    samples: Samples | None = None  # combine
    model: Any = None  # train: a fitted cemai_opt.models.Model, which this layer must not import
    prediction: Prediction | None = None  # evaluate
    metrics: Mapping[str, float] = field(default_factory=dict)  # evaluate
    importances: Mapping[str, float] = field(default_factory=dict)  # explain
    notes: tuple[str, ...] = ()

    @property
    def target(self) -> TargetScale:
        """How the model sees the target."""
        return TargetScale(
            shift=self.target_shift, factor=self.target_factor, low=self.target_low, high=self.target_high
        )

    def with_columns(self, X: FloatArray, names: tuple[str, ...]) -> Batch:
        """The same rows with other columns."""
        assert X.shape[1] == len(names), f"{X.shape[1]} columns, {len(names)} names"
        return replace(self, X=X, names=names)

    def with_fitted_state(self, stage: str, state: FittedState) -> Batch:
        """The same batch with the fitted state of a stage."""
        return replace(self, fitted_states={**self.fitted_states, stage: state})


def split_codes(X: FloatArray, n_codes: int) -> tuple[FloatArray, FloatArray]:
    """Numbers, and codes of categories, which are the last `n_codes` columns; a missing code is -1."""
    if not n_codes:
        return X, np.empty((len(X), 0))
    return X[:, :-n_codes], np.nan_to_num(X[:, -n_codes:], nan=-1.0)


def last_rows(group: IntArray) -> BoolArray:
    """Whether each row is the last one of its group: (n_rows,). Rows of a group are contiguous."""
    return np.append(group[1:] != group[:-1], True)


def group_starts(group: IntArray) -> IntArray:
    """First row of the group that each row belongs to: (n_rows,). Rows of a group are contiguous.

    >>> group_starts(np.array([5, 5, 2, 2, 2])).tolist()
    [0, 0, 2, 2, 2]
    """
    if len(group) == 0:
        return np.empty(0, np.intp)
    is_first = np.r_[True, group[1:] != group[:-1]]
    starts: IntArray = np.flatnonzero(is_first)[np.cumsum(is_first) - 1]
    return starts
