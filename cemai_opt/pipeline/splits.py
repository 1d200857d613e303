"""The split into training, validation and test rows: fixed once per study."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from cemai_opt.core.batch import BoolArray, IntArray, group_starts
from cemai_opt.core.errors import StudyError
from cemai_opt.core.study import ResolvedSplit, SplitSpec
from cemai_opt.datasets import Dataset
from cemai_opt.pipeline.exploration import explore_rows, explored_rows
from cemai_opt.pipeline.holdouts import expanding, shuffled_folds, shuffled_holdout, stratified_folds
from cemai_opt.pipeline.validation import MIN_GROUPS

MANY_GROUPS = 20
"""From this many groups on, a single holdout of a fifth of them is representative."""
MAX_AUTO_FOLDS = 5
N_BLOCKS = 50
"""Blocks of successive rows, if rows are held out in blocks."""
MIN_BLOCKS_OF_CLASS = 3
FEW_ROWS, FEW_ROWS_FOLDS = 2000, 3
"""With fewer independent rows than the first, a single holdout of a fifth of them soon has a perfect score, or a lucky
one: docs/decisions/selection.md."""
MIN_CONFIRM_FOLDS = 5
"""Folds on which the scores of front candidates are confirmed, unless there are fewer groups."""
EXPLORED_CONFIRM_FOLDS = 3
"""As many if there are so many rows that trials explore on a part of them: every row is evaluated once as well."""
CONFIRM_SHARE = 0.6
"""Of a series, the last part with this share of the rows, in blocks as long as the validation's: a shorter block would
favour pipelines that are right for a short while only."""
CONFIRM_SEED = 1
"""Added to the seed of a study, so that confirming folds cut between other groups than those of the search."""


@dataclass(frozen=True)
class Fold:
    """Rows to train on and rows to evaluate on: two disjoint (n_rows,) masks."""

    is_train: BoolArray
    is_eval: BoolArray


@dataclass(frozen=True, kw_only=True)
class Splits:
    """The split of a study's rows: the folds of `search` and of `confirm` never contain `test` rows."""

    search: tuple[Fold, ...]
    confirm: tuple[Fold, ...]
    """Folds on which front candidates are scored: every group is evaluated once, or the last blocks of time."""
    final: Fold
    test: BoolArray
    """Test rows, including those without a target: (n_rows,). They are removed before the search begins."""
    explored: BoolArray | None = None
    """The rows that trials of the search run on, with their history; None if these are all but the test rows."""

    @property
    def factor(self) -> float:
        """How many times as many rows the search has as its trials run on."""
        return 1.0 if self.explored is None else float((~self.test).sum() / self.explored.sum())

    def trained_on_test_rows(self, data: Dataset) -> Splits:
        """The same, but the model of the final phase is trained on all rows with a target, as for deployment."""
        return replace(self, final=Fold(data.has_target, self.final.is_eval))

    @staticmethod
    def of(data: Dataset, spec: ResolvedSplit, *, seed: int) -> Splits:
        """The split that `spec` and a seed define."""
        try:
            test = _test_rows(data, spec, seed=seed)
            usable = data.has_target & ~test & ~test[_target_rows(data)]  # no search target is a test row's value
            final = _fold(data, spec, is_train=~test, is_eval=test)
            parts = _validation_parts(data, spec, rows=usable, seed=seed, folds=spec.folds)
        except ValueError as error:  # more folds than rows, or than rows of a class
            raise StudyError(f"the split cannot be made: {error}", "use fewer --folds, or more rows") from error
        search = tuple(_fold(data, spec, is_train=train, is_eval=evaluated) for train, evaluated in parts)
        confirm = _confirm_folds(data, spec, rows=usable, seed=seed) or search
        explored = explored_rows(data, spec, rows=~test, folds=[(f.is_train, f.is_eval) for f in search], seed=seed)
        return Splits(search=search, confirm=confirm, final=final, test=test, explored=explored)


def resolve_split(data: Dataset, spec: SplitSpec) -> tuple[ResolvedSplit, str]:
    """`spec` with its open choices resolved, and one line about the choices."""
    by = spec.by
    if by == "auto":
        by = "group" if data.has_groups else "time"
    if by == "group" and not data.has_groups:
        raise StudyError("--split group needs groups", "give their column with --group")
    n_groups = _n_searched_groups(data, spec) if by == "group" else 0
    n_rows = int((data.has_target & ~data.is_test).sum())
    folds = spec.folds or _auto_folds(by, n_groups=n_groups, n_rows=n_rows)
    if by == "group" and folds > n_groups:
        raise StudyError(f"{folds} folds of {n_groups} groups", f"use --folds {n_groups} or fewer")
    what = {
        "group": f"{n_groups} groups",
        "rows": "shuffled rows (right if none of them is a neighbour of another)",
        "blocks": f"{N_BLOCKS} blocks of successive rows",
    }
    ordered = "time order" if data.has_time else "row order"
    how = f"{folds} folds" if folds > 1 else f"one holdout of {spec.validation_share:.0%}"
    note = f"split by {what.get(by, ordered)}: validation is {how}"
    if by == "group" and data.has_time:
        note += ", on groups that are not trained on (--split time: on later rows of the same groups)"
    if by == "time" and not data.has_time:
        note += "; if rows have no order, --split rows is right, and features of earlier rows are left out"
    explored = explore_rows(spec, n_rows)
    resolved = ResolvedSplit.model_validate({**spec.model_dump(), "by": by, "folds": folds, "explore_rows": explored})
    return resolved, note


def _auto_folds(by: str, *, n_groups: int, n_rows: int) -> int:
    """The number of validation folds where it is not given."""
    if by == "group" and n_groups < MANY_GROUPS:
        return min(MAX_AUTO_FOLDS, n_groups)
    return FEW_ROWS_FOLDS if by in ("rows", "blocks") and FEW_ROWS_FOLDS <= n_rows < FEW_ROWS else 1


def can_be_in_blocks(data: Dataset) -> bool:
    """Whether every class is in enough blocks to be trained on, validated and tested."""
    rows = np.flatnonzero(data.has_target & ~data.is_test)
    block = _blocks(data, rows)
    return all(len(np.unique(block[data.y[rows] == code])) >= MIN_BLOCKS_OF_CLASS for code in range(len(data.classes)))


def hides_extrapolation(data: Dataset, spec: ResolvedSplit) -> bool:
    """Whether a regression on whole groups has so few that nothing shows how a model extrapolates to another one."""
    return data.task == "regression" and spec.by == "group" and _n_searched_groups(data, spec) < MIN_GROUPS


def _n_searched_groups(data: Dataset, spec: SplitSpec) -> int:
    """Groups of training and validation rows. StudyError if there are too few to split them."""
    n_groups = len(_groups_with_targets(data, ~data.is_test))
    has_test = bool(data.is_test.any())
    _check_enough_groups(n_groups, has_test=has_test)
    return n_groups if has_test else n_groups - _n_test_groups(n_groups, spec)


def _check_enough_groups(n_groups: int, has_test: bool) -> None:
    needed = 2 if has_test else 3
    if n_groups < needed:
        raise StudyError(
            f"{n_groups} groups with a target cannot be split into train, validation{'' if has_test else ' and test'}",
            f"{needed} groups are needed; or use --split time",
        )


def _groups_with_targets(data: Dataset, rows: BoolArray) -> IntArray:
    return np.unique(data.group[rows & data.has_target])


def _n_test_groups(n_groups: int, spec: SplitSpec) -> int:
    return min(max(1, round(spec.test_share * n_groups)), n_groups - 2)


def _test_rows(data: Dataset, spec: ResolvedSplit, *, seed: int) -> BoolArray:
    if data.is_test.any():
        if not (data.is_test & data.has_target).any():
            raise StudyError("no test row has a target", "choose other test rows")
        return data.is_test
    if spec.by == "group":
        groups = _groups_with_targets(data, np.ones(len(data.y), bool))
        chosen = np.random.default_rng(seed).permutation(groups)[: _n_test_groups(len(groups), spec)]
        return np.isin(data.group, chosen)
    if spec.by == "rows":
        return np.random.default_rng(seed).random(len(data.y)) < spec.test_share
    if spec.by == "blocks":
        numbers = np.flatnonzero(data.has_target)
        block = _units(data, spec, numbers=numbers)
        (chosen,) = _held_out(data, block, numbers=numbers, share=spec.test_share, folds=1, seed=seed)
        return np.isin(_units(data, spec, numbers=np.arange(len(data.y))), chosen)
    late: BoolArray = _position(data) >= 1.0 - spec.test_share
    return late


def _position(data: Dataset) -> Any:
    """Relative position of each row in time, from 0 to 1: among all rows if there is only a time, else in its group."""
    if data.has_time and not data.has_groups:
        return _ranks(data.order)
    starts = group_starts(data.group)
    size = np.bincount(np.cumsum(starts == np.arange(len(starts))) - 1)
    return (np.arange(len(starts)) - starts) / np.repeat(size, size)


def _ranks(values: Any) -> Any:
    """Share of rows that are earlier; simultaneous rows have the same rank, so that no cut separates them."""
    return np.searchsorted(np.sort(values), values, side="left") / len(values)


def n_confirm_folds(spec: ResolvedSplit, n_groups: int) -> int:
    """The number of folds on which the scores of front candidates are confirmed."""
    if spec.by == "time":
        return max(1, math.floor(CONFIRM_SHARE / spec.validation_share + 1e-9))
    folds = max(EXPLORED_CONFIRM_FOLDS if spec.explore_rows else MIN_CONFIRM_FOLDS, spec.folds)
    return min(folds, n_groups) if spec.by == "group" else folds


def _confirm_folds(data: Dataset, spec: ResolvedSplit, *, rows: BoolArray, seed: int) -> tuple[Fold, ...]:
    """More folds than those of the search, cut elsewhere; none if there are too few rows for them."""
    folds = n_confirm_folds(spec, len(_groups_with_targets(data, rows)))
    try:
        if spec.by == "time":
            parts = _last_blocks(data, spec, rows=rows, folds=folds)
        else:
            parts = _validation_parts(data, spec, rows=rows, seed=seed + CONFIRM_SEED, folds=folds)
        return tuple(_fold(data, spec, is_train=train, is_eval=evaluated) for train, evaluated in parts)
    except (ValueError, StudyError):
        return ()


def _last_blocks(
    data: Dataset, spec: ResolvedSplit, *, rows: BoolArray, folds: int
) -> list[tuple[BoolArray, BoolArray]]:
    """Consecutive blocks of time at the end of `rows`, each with all rows before it to train on."""
    position, size = _position(data), spec.validation_share
    ends = [float(np.quantile(position[rows], max(1.0 - i * size, 0.0))) for i in range(folds + 1)]
    return [
        (rows & (position < begin), rows & (position >= begin) & ((position < end) | (end == ends[0])))
        for end, begin in pairwise(ends)
    ][::-1]


def _validation_parts(
    data: Dataset, spec: ResolvedSplit, *, rows: BoolArray, seed: int, folds: int
) -> list[tuple[BoolArray, BoolArray]]:
    """Pairs of training and validation rows out of `rows`, all of which have a target."""
    if spec.by == "time" and folds == 1:
        return [_cut(rows, _position(data), spec=spec)]
    numbers = np.flatnonzero(rows)
    if spec.by == "time":
        in_time = numbers[np.argsort(_position(data)[numbers], kind="stable")]
        parts = [(in_time[:a], in_time[a:b]) for a, b in expanding(len(in_time), folds)]
        return [(_mask(rows, a), _mask(rows, b)) for a, b in parts]
    unit = _units(data, spec, numbers=numbers)
    if spec.by == "rows":
        held_out = _shuffled(unit, share=spec.validation_share, folds=folds, seed=seed)
    else:
        held_out = _held_out(data, unit, numbers=numbers, share=spec.validation_share, folds=folds, seed=seed)
    is_held_out = [np.isin(unit, units) for units in held_out]
    return [(_mask(rows, numbers[~held]), _mask(rows, numbers[held])) for held in is_held_out]


def _units(data: Dataset, spec: ResolvedSplit, *, numbers: IntArray) -> IntArray:
    """What is held out whole: the row, its block of successive rows, or its group, of each of the row `numbers`."""
    if spec.by == "rows":
        return numbers
    return _blocks(data, numbers) if spec.by == "blocks" else data.group[numbers]


def _blocks(data: Dataset, numbers: IntArray) -> IntArray:
    return numbers * N_BLOCKS // len(data.y)


def _held_out(
    data: Dataset, unit: IntArray, *, numbers: IntArray, share: float, folds: int, seed: int
) -> list[IntArray]:
    """The groups or blocks that each of the folds holds out, or a single holdout; classes are spread evenly."""
    if data.task != "classification":
        return _shuffled(unit, share=share, folds=folds, seed=seed)
    y = data.y[numbers]
    n_rows = max(np.unique(y, return_counts=True)[1], default=0)  # of the largest class
    n_parts = folds if folds > 1 else max(2, min(round(1 / share), n_rows))
    return stratified_folds(unit, y, n_folds=min(n_parts, len(np.unique(unit))), seed=seed)[: max(folds, 1)]


def _shuffled(unit: IntArray, *, share: float, folds: int, seed: int) -> list[IntArray]:
    return shuffled_folds(unit, folds, seed=seed) if folds > 1 else [shuffled_holdout(unit, share, seed=seed)]


def _cut(rows: BoolArray, position: Any, *, spec: ResolvedSplit) -> tuple[BoolArray, BoolArray]:
    border = float(np.quantile(position[rows], 1.0 - spec.validation_share))
    return rows & (position < border), rows & (position >= border)


def _mask(like: BoolArray, rows: IntArray) -> BoolArray:
    mask = np.zeros_like(like)
    mask[rows] = True
    return mask


def _target_rows(data: Dataset) -> IntArray:
    """The row that each row's target was read from: (n_rows,); the row itself if its group ends before."""
    rows = np.arange(len(data.y))
    later = np.minimum(rows + data.horizon, len(rows) - 1)
    starts = group_starts(data.group)
    return np.where(starts[later] == starts, later, rows)


def _fold(data: Dataset, spec: ResolvedSplit, *, is_train: BoolArray, is_eval: BoolArray) -> Fold:
    """Rows with a target; in time order, without training rows whose target is that of an evaluation row."""
    if data.horizon and spec.by == "time":
        rows, starts = np.arange(len(data.y)), group_starts(data.group)
        first_eval = np.full(len(rows), len(rows))
        np.minimum.at(first_eval, starts[is_eval], rows[is_eval])
        is_train = is_train & (_target_rows(data) < first_eval[starts])
    is_train, is_eval = is_train & data.has_target, is_eval & data.has_target
    if not is_train.any() or not is_eval.any():
        raise StudyError(
            f"the split leaves {int(is_train.sum())} rows to train on and {int(is_eval.sum())} to evaluate on",
            "choose other shares, another --split, or other test rows",
        )
    return Fold(is_train, is_eval)
