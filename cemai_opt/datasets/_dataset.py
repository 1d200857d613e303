"""Raw rows from readers, and the data set of a study as numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from cemai_opt.core.batch import BoolArray, FloatArray, IntArray
from cemai_opt.datasets._schema import CODES, Schema

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Frames:
    """The raw rows of a reader, its test rows (or None), the group column of a folder's files, if any, and notes.

    `parts`: number of rows of each appended part, by name, in their order; empty if the rows are in one part.
    """

    rows: pd.DataFrame
    test: pd.DataFrame | None = None
    group: str | None = None
    notes: tuple[str, ...] = ()
    parts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class NewRows:
    """Rows to predict, in the order of their file.

    `X`: (n_rows, n_inputs), NaN where missing; `group`: (n_rows,) number of the group, in order of first appearance;
    `order`: (n_rows,) values by which the rows of a group are ordered. Large arrays are memory-mapped files.
    The first `n_history` rows are the history of the others, which features are computed from.
    """

    X: FloatArray
    group: IntArray
    order: FloatArray
    n_history: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """All rows of a study as numbers, the rows of a group contiguous and in time order.

    `X`: (n_rows, n_columns), NaN where missing. `y`: (n_rows,), already shifted by the horizon, NaN where a row has
    no target. `group`: (n_rows,) index into `group_names`. `order`: (n_rows,) value of the time column, or the row's
    number in its group. `is_test`: (n_rows,) test rows given by the user.
    """

    X: FloatArray
    y: FloatArray
    group: IntArray
    order: FloatArray
    is_test: BoolArray
    names: tuple[str, ...]
    group_names: tuple[str, ...]
    task: str
    classes: tuple[str, ...] = ()
    has_groups: bool = False
    has_time: bool = False
    horizon: int = 0
    notes: tuple[str, ...] = ()
    regime: tuple[str, ...] = ()
    """Columns by which operating regimes are told apart; empty for all inputs."""
    schema: Schema = field(default_factory=Schema)
    """The columns of the files, by role."""

    @property
    def has_target(self) -> BoolArray:
        """Rows that can be trained on or evaluated: (n_rows,)."""
        return np.isfinite(self.y)

    @property
    def n_levels(self) -> tuple[int, ...]:
        """Number of categories of each input that holds codes of categories; these are the last inputs."""
        return tuple(len(column.levels or ()) for column in self.schema.columns if column.kind == CODES)

    @cached_property
    def digest(self) -> str:
        """Twelve hexadecimal digits that identify the data: any change in it changes them."""
        hasher = hashlib.sha256()
        for array in (self.X, self.y, self.group, self.is_test):
            hasher.update(np.ascontiguousarray(array).data)
        hasher.update("\0".join((*self.names, *self.classes)).encode())
        return hasher.hexdigest()[:12]
