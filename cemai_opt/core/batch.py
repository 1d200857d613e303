"""Rows on their way through the stages, each stage returning a new batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.integer[Any]]
BoolArray = npt.NDArray[np.bool_]
Learnt = Mapping[str, npt.NDArray[Any]]
"""What a stage has learnt from the training rows: arrays by name, enough to treat new rows alike."""


@dataclass(frozen=True)
class Job:
    """What is asked of a pipeline: the task, the score, the seed, the threads, and where networks run."""

    task: str
    score: str
    n_classes: int = 0
    seed: int = 0
    threads: int = 1
    device: str = "cpu"

    @property
    def is_classification(self) -> bool:
        """Is the target a class rather than a number?"""
        return self.task == "classification"


@dataclass(frozen=True)
class Windows:
    """A view of the last `window` rows before each row, padded at the start of a group; nothing is copied.

    `view`: (n_starts, n_features, window), read-only; `starts`: (n_rows,) maps a row to its window in `view`.
    """

    view: FloatArray
    starts: IntArray

    def take(self, rows: IntArray) -> FloatArray:
        """Windows of the rows asked for, as a copy: (n, window, n_features), oldest row first."""
        return np.ascontiguousarray(self.view[self.starts[rows]].transpose(0, 2, 1))


@dataclass(frozen=True)
class Samples:
    """What a model learns from: `X` (n, window, n_features), `y` (n,), `group` (n,)."""

    X: FloatArray
    y: FloatArray
    group: IntArray


@dataclass(frozen=True)
class Prediction:
    """What a model says of n rows: `value` (n,), and for classes their scores `by_class` (n, n_classes)."""

    value: FloatArray
    by_class: FloatArray | None = None


@dataclass(frozen=True)
class Profile:
    """Statistics of the training rows, one number a column; NaNs are left out of all but `missing`."""

    missing: FloatArray
    zeros: FloatArray
    low: FloatArray
    high: FloatArray
    mean: FloatArray
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Batch:
    """All rows of a data set on their way through a pipeline.

    `X`: (n_rows, n_features), NaN where a value is missing, rows of a group contiguous and in time order.
    `y`: (n_rows,), NaN where a row has no target; class codes 0..n_classes-1 for a classification.
    `group`: (n_rows,) number of the group. `learn` and `judge`: (n_rows,) rows to learn from and rows to predict;
    a row in neither serves as history only. `learnt` holds what stages have learnt, by stage: one that finds its
    own entry there learns nothing more. `place`: (n_rows,) number of each row in its group, None where the batch holds
    whole groups. Fields below `place` are filled by the stage that is named there.
    """

    job: Job
    X: FloatArray
    y: FloatArray
    group: IntArray
    learn: BoolArray
    judge: BoolArray
    names: tuple[str, ...]
    learnt: Mapping[str, Learnt] = field(default_factory=dict)
    place: IntArray | None = None
    profile: Profile | None = None  # profile
    learn_rows: IntArray = field(default_factory=lambda: np.empty(0, np.intp))  # split
    judge_rows: IntArray = field(default_factory=lambda: np.empty(0, np.intp))  # split
    target_shift: float = 0.0  # scale
    target_factor: float = 1.0  # scale
    windows: Windows | None = None  # sequentialize
    samples: Samples | None = None  # combine
    model: Any = None  # train: a fitted cemai_opt.models.Model, which this floor does not know
    prediction: Prediction | None = None  # evaluate
    metrics: Mapping[str, float] = field(default_factory=dict)  # evaluate
    importances: Mapping[str, float] = field(default_factory=dict)  # explain
    notes: tuple[str, ...] = ()
    watch: Callable[[Batch, int], bool] | None = None
    """Called with the batch, its model half grown, and the model's size; False says that it is enough."""

    def with_columns(self, X: FloatArray, names: tuple[str, ...]) -> Batch:
        """The same rows with other columns."""
        assert X.shape[1] == len(names), f"{X.shape[1]} columns, {len(names)} names"
        return replace(self, X=X, names=names)

    def with_learnt(self, stage: str, learnt: Learnt) -> Batch:
        """The same batch, remembering what a stage has learnt."""
        return replace(self, learnt={**self.learnt, stage: learnt})


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
