"""Whether the order of rows means anything where nothing is said of it."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pandas as pd

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.datasets import DATE, Dataset

MIN_ROWS = 100
"""Fewer rows cannot show that their order means nothing."""
MAX_ROWS = 5000
"""Successive rows, and rows evenly spaced among all, by which the order is judged."""
LAGS = 10
"""Rows before a row of which it must know nothing."""
FALSE_ALARMS = 0.01
"""Share of tables without any order that count as ordered, which costs them features of neighbours and nothing else."""
MAX_INPUTS = 100
"""Inputs, evenly spaced, by which the order is judged."""
FEW_PAIRS = 5
"""A column is left out if so few neighbours are expected to differ from its most common value by chance: their number
is not normal then."""


def is_series(data: Dataset) -> bool:
    """Whether rows have dates, or the target is that of a later row."""
    return data.horizon > 0 or any(column.kind == DATE for column in data.schema.columns)


def has_order(data: Dataset) -> bool:
    """Whether rows depend on those before them, or change from the first to the last.

    Correlations of ranks: of the target and of each input with itself and of the target with each input, 1 to 10 rows
    before, and of each with the row number. Without order, each is normal with the variance 1 / n (Wald and Wolfowitz
    (1943), Annals of Mathematical Statistics 14(4)); the largest of all decides (Bonferroni).
    """
    numbers = np.flatnonzero(data.has_target & ~data.is_test)
    if len(numbers) < MIN_ROWS:
        return True
    near, spread = _ranks(data, numbers[:MAX_ROWS]), _ranks(data, numbers[:: -(-len(numbers) // MAX_ROWS)])
    if not near.shape[1]:
        return True
    place = _standard(np.arange(float(len(spread)))[:, None])
    sums = [(place * spread).sum(axis=0) / np.sqrt(len(spread))]
    for lag in range(1, LAGS + 1):
        later, earlier = near[lag:], near[:-lag]
        sums += [(later * earlier).sum(axis=0), (later[:, :1] * earlier[:, 1:]).sum(axis=0)]
    z = np.abs(np.concatenate([sums[0], *(each / np.sqrt(len(near)) for each in sums[1:])]))
    return bool(z.max() > NormalDist().inv_cdf(1.0 - FALSE_ALARMS / (2 * len(z))))


def _ranks(data: Dataset, rows: IntArray) -> FloatArray:
    """Standardised ranks of the target and the inputs that vary enough: (n_rows, n_columns), 0 for missing values."""
    inputs = data.X[rows, :: -(-data.X.shape[1] // MAX_INPUTS)]
    frame = pd.DataFrame(np.column_stack([data.y[rows], inputs]))
    most = len(rows) - math.sqrt(FEW_PAIRS * len(rows))
    varies = [frame[name].value_counts(dropna=False).iloc[0] <= most for name in frame]
    return _standard(frame.loc[:, varies].rank().to_numpy())


def _standard(values: FloatArray) -> FloatArray:
    standard: FloatArray = (values - np.nanmean(values, axis=0)) / np.nanstd(values, axis=0)
    return np.nan_to_num(standard, copy=False)
