"""What makes scores too good or models impossible: the same rows on both sides, inputs that give the target away."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cemai_opt.core.batch import BoolArray, FloatArray, IntArray
from cemai_opt.core.errors import StudyError
from cemai_opt.datasets import CODES, DATE, TEST_GROUP, Dataset, is_like_groups, is_smoother_within, tells_apart
from cemai_opt.pipeline.dummy import last_known
from cemai_opt.pipeline.splits import Splits

SAME_DATA = 0.99
"""If this share of the test rows is among the others as well, the test data is the data itself."""
FEW_SAME = 0.01
"""No more than this share of equal rows is taken for chance."""
GIVEN_AWAY = 0.99
"""An input with an absolute correlation, or an area under the ROC curve, above this determines the target alone."""
LOOKED_AT = 100_000
"""Successive rows in which units are looked for."""
MIN_STAND_INS = 3
"""A number that stands for a missing value occurs so often at least."""
MAX_ROWS = 20_000
"""Rows, evenly spaced, by which inputs are judged."""


def check_classes(data: Dataset, splits: Splits) -> None:
    """StudyError if the rows of the search have one class only, or lack one of the test rows."""
    if data.task != "classification":
        return
    searched, tested = (np.unique(data.y[rows]) for rows in (~splits.test & data.has_target, splits.final.is_eval))
    if len(searched) < 2:
        name = data.classes[int(searched[0])] if len(searched) else "none"
        raise StudyError(
            f"all rows but the test rows have one class ({name!r})", "choose other test rows, or another --seed"
        )
    for code in np.setdiff1d(tested, searched):
        raise StudyError(
            f"class {data.classes[int(code)]!r} occurs in test rows only, so that no model can learn it",
            "choose other test rows or another --seed, or leave its rows out",
        )


CHUNK_ROWS = 1 << 16
"""Rows that are compared at once."""


def suspicions(data: Dataset, splits: Splits) -> tuple[str, ...]:
    """Notes on what makes scores too good or inputs useless. StudyError if all test rows are known."""
    return (
        *same_rows(data, splits),
        *given_away(data, splits),
        *unnamed_groups(data),
        *same_times(data),
        *stand_ins(data, splits),
    )


def same_rows(data: Dataset, splits: Splits) -> tuple[str, ...]:
    """Notes on test rows that are among the other rows. StudyError if they all are."""
    notes = []
    if data.is_test.any() and data.has_groups:
        own = {name for name in data.group_names if not name.startswith(TEST_GROUP)}
        shared = [name for name in data.group_names if name.removeprefix(TEST_GROUP) in own and name not in own]
        if shared:
            first = shared[0].removeprefix(TEST_GROUP)
            notes.append(
                f"{len(shared)} groups of the test data have a name that occurs in the data too, such as {first!r}: "
                "if they are the same ones, test scores are too good"
            )
    tested = splits.final.is_eval
    share, n_same = _share_of_same(data, tested, others=~splits.test & data.has_target)
    if data.is_test.any() and share > SAME_DATA:
        raise StudyError(
            f"{n_same} of {int(tested.sum())} test rows are rows of the data, target included",
            "give other test rows: these are known to every model",
        )
    if share > FEW_SAME:
        notes.append(
            f"{n_same} of {int(tested.sum())} test rows equal other rows, target included: if they are copies, test "
            "scores are too good"
        )
    return tuple(notes)


def _share_of_same(data: Dataset, tested: BoolArray, *, others: BoolArray) -> tuple[float, int]:
    """Share and number of the tested rows that equal one of the others in all inputs and the target."""
    keys = np.empty(len(data.y), np.uint64)
    for first in range(0, len(keys), CHUNK_ROWS):
        chunk = slice(first, first + CHUNK_ROWS)
        rows = np.column_stack([data.X[chunk], data.y[chunk]])
        rows = np.ascontiguousarray(np.where(rows == 0.0, 0.0, rows))  # -0.0 equals 0.0
        rows[np.isnan(rows)] = np.nan  # one kind of NaN
        keys[chunk] = _digests(rows)
    n_same = int(pd.Series(keys[tested]).isin(keys[others]).sum())  # np.isin takes ten times as long
    return n_same / max(1, int(tested.sum())), n_same


def _digests(rows: FloatArray) -> np.ndarray:
    """A 64-bit number for each row; equal rows have equal ones, others hardly ever."""
    bits = rows.view(np.uint64)
    factors = np.random.default_rng(0).integers(1, 2**63, rows.shape[1], dtype=np.uint64) | np.uint64(1)
    mixed = (bits ^ (bits >> np.uint64(29))) * factors
    mixed ^= mixed >> np.uint64(32)
    digests: np.ndarray = (mixed * np.uint64(0x9E3779B97F4A7C15)).sum(axis=1, dtype=np.uint64)
    return digests


def unnamed_groups(data: Dataset) -> tuple[str, ...]:
    """A note on the first input that looks like the names of groups, where there are none: neighbours would leak.

    Rows of one name are in one stretch of rows, or follow one another more smoothly than rows of the file do.
    """
    if data.has_groups:
        return ()
    dates = {name for column in data.schema.columns if column.kind == DATE for name in column.inputs}
    for i, name in enumerate(data.names):
        if name not in dates and is_like_groups(data.X[:, i]):
            n = len(np.unique(data.X[:, i]))
            return (_group_note(name.split("=")[0], n, why="each in one stretch of rows"),)
    y = last_known(data.y, data.group, horizon=data.horizon) if data.horizon else data.y
    for name, codes in _categories(data).items():
        n, first = len(np.unique(codes)), slice(0, LOOKED_AT)
        if data.has_time and tells_apart(codes[first], data.order[first]):
            return (_group_note(name, n, why="which tell rows of the same time apart"),)
        if is_smoother_within(codes[first], y[first]):
            return (_group_note(name, n, why="within which the target changes less from row to row than in the file"),)
    return ()


def _group_note(column: str, n: int, *, why: str) -> str:
    return (
        f"column {column!r} has {n} values, {why}: if they are machines or experiments, --group {column} keeps their "
        "rows together, and scores are those on others of them"
    )


def _categories(data: Dataset) -> dict[str, IntArray]:
    """The level of each row in each column of text, by the column's name: (n_rows,), -1 for none."""
    found: dict[str, IntArray] = {}
    first = 0
    for column in data.schema.columns:
        own = data.X[:, first : first + len(column.inputs)]
        first += len(column.inputs)
        if column.levels is None or column.kind == DATE or not own.shape[1]:
            continue
        if column.kind == CODES:
            found[column.name] = np.where(np.isfinite(own[:, 0]), own[:, 0], -1.0).astype(np.int64)
        else:
            found[column.name] = np.where(own.max(axis=1) > 0.0, own.argmax(axis=1), -1).astype(np.int64)
    return found


def same_times(data: Dataset) -> tuple[str, ...]:
    """A note on rows that have the same time as another one of their group: their order is that of the file."""
    if not data.has_time:
        return ()
    is_same = (np.diff(data.order) == 0) & (np.diff(data.group) == 0)
    n_same, where = int(is_same.sum()), "group" if data.has_groups else "file"
    if not n_same:
        return ()
    return (f"{n_same} rows have the same time as the row before in their {where}: are they copies, or other units?",)


def stand_ins(data: Dataset, splits: Splits) -> tuple[str, ...]:
    """A note on each number that seems to mean "no value": an extreme that recurs, far from all other values."""
    numbers = {column.name for column in data.schema.columns if column.levels is None}
    rows = np.flatnonzero(~splits.test)
    rows = rows[:: -(-len(rows) // MAX_ROWS)]
    notes = []
    for i, name in enumerate(data.names):
        values = data.X[rows, i]
        found = _stand_in(values[np.isfinite(values)]) if name in numbers else None
        if found is not None:
            notes.append(
                f"input {name!r}: {found:g} recurs, far from all other values: if it means none, --missing {found:g}"
            )
    return tuple(notes)


def _stand_in(values: FloatArray) -> float | None:
    """The largest or smallest value, if it recurs and lies farther from the next one than most others are apart."""
    for extreme in (values.max(initial=-np.inf), values.min(initial=np.inf)):
        rest = values[values != extreme]
        if not MIN_STAND_INS <= len(values) - len(rest) < len(rest):
            continue
        low, high = np.quantile(rest, [0.01, 0.99])
        if high > low and np.abs(rest - extreme).min() > high - low:
            return float(extreme)
    return None


def given_away(data: Dataset, splits: Splits) -> tuple[str, ...]:
    """A note on each input that determines the target nearly alone, on the rows of the search."""
    rows = np.flatnonzero(~splits.test & data.has_target)
    rows = rows[:: -(-len(rows) // MAX_ROWS)]
    X, y = data.X[rows], data.y[rows]
    strength = _correlations(X, y) if data.task == "regression" else _areas(X, y)
    what = "correlation" if data.task == "regression" else "area under the ROC curve"
    own = data.schema.target  # an input with a horizon: that the present tells of the future is no leak
    by_name = {
        data.names[i]: strength[i] for i in np.flatnonzero(strength > GIVEN_AWAY) if data.names[i].split("=")[0] != own
    }
    for name, codes in _categories(data).items():
        if name != own and not any(known.split("=")[0] == name for known in by_name):
            together = _strength_of_levels(codes[rows], y, is_class=data.task == "classification")
            if together > GIVEN_AWAY:
                by_name[name] = together
    return tuple(
        f"input {name!r} gives the target away ({what} {value:.3f}): is it known when a prediction is made? if not, "
        f"--ignore {name.split('=')[0]}"
        for name, value in by_name.items()
    )


def _strength_of_levels(codes: IntArray, y: FloatArray, *, is_class: bool) -> float:
    """How well the mean target of each level on every other row tells the target on the rows between them."""
    even = np.arange(len(y)) % 2 == 0
    levels = codes + 1  # rows without a level have one of their own
    n = np.bincount(levels[even], minlength=int(levels.max(initial=0)) + 1)
    strength = 0.0
    for truth in ((y == code).astype(float) for code in np.unique(y)) if is_class else (y,):
        sums = np.bincount(levels[even], weights=truth[even], minlength=len(n))
        means = np.where(n > 0, sums / np.maximum(n, 1), truth[even].mean())
        guess, rest = means[levels[~even]][:, None], truth[~even]
        strength = max(strength, float((_areas(guess, rest) if is_class else _correlations(guess, rest))[0]))
    return strength


def _correlations(X: FloatArray, y: FloatArray) -> FloatArray:
    """Absolute correlation of each input with the target, over rows that have it: (n_inputs,)."""
    strength = np.zeros(X.shape[1])
    for i in range(X.shape[1]):
        known = np.isfinite(X[:, i])
        x, own = X[known, i], y[known]
        if len(x) > 2 and np.ptp(x) > 0.0 and np.ptp(own) > 0.0:
            strength[i] = abs(np.corrcoef(x, own)[0, 1])
    return strength


def _areas(X: FloatArray, y: FloatArray) -> FloatArray:
    """Largest area under the ROC curve by which each input alone tells a class from all others: (n_inputs,)."""
    classes, strength = np.unique(y), np.zeros(X.shape[1])
    for i in range(X.shape[1]):
        known = np.isfinite(X[:, i])
        ranks, own = pd.Series(X[known, i]).rank().to_numpy(), y[known]
        for code in classes:
            is_in = own == code
            n_in, n_out = int(is_in.sum()), int((~is_in).sum())
            if n_in and n_out:
                area = (ranks[is_in].sum() - n_in * (n_in + 1) / 2) / (n_in * n_out)
                strength[i] = max(strength[i], area, 1.0 - area)
    return strength
