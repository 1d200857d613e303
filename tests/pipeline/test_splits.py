"""Who trains, who validates, who tests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cemai_opt.core.errors import StudyError
from cemai_opt.core.study import SplitSpec
from cemai_opt.datasets import Dataset
from cemai_opt.pipeline import Splits, resolve_split
from cemai_opt.pipeline.splits import N_BLOCKS


def data_of(
    sizes: list[int], task: str = "regression", horizon: int = 0, has_groups: bool = True, **more: object
) -> Dataset:
    """Rows of groups with these sizes."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    n = len(group)
    y = np.arange(n) % 2.0 if task == "classification" else np.arange(float(n))
    if horizon:
        y[-horizon:] = np.nan
    fields = {"order": np.arange(float(n)), "is_test": np.zeros(n, bool), **more}
    names = tuple(map(str, range(len(sizes))))
    return Dataset(
        X=np.zeros((n, 1)),
        y=y,
        group=group,
        names=("x",),
        group_names=names,
        task=task,
        has_groups=has_groups,
        horizon=horizon,
        **fields,
    )  # type: ignore[arg-type]  # hand-made


@settings(deadline=None)
@given(
    st.lists(st.integers(4, 30), min_size=3, max_size=25),
    st.sampled_from(["auto", "group", "time", "blocks", "rows"]),
    st.sampled_from([None, 1, 2, 3]),
    st.sampled_from(["regression", "classification"]),
    st.integers(0, 5),
)
def test_no_row_is_on_both_sides(sizes: list[int], by: str, folds: int | None, task: str, seed: int) -> None:
    """Learn, judge and test are disjoint; the search never touches test rows; groups stay whole."""
    data = data_of(sizes, task)
    try:
        spec, _ = resolve_split(data, SplitSpec(by=by, folds=folds))  # type: ignore[arg-type]  # drawn from the choices
        splits = Splits.of(data, spec, seed=seed)
    except StudyError:
        return  # too few groups for so many folds, said in words
    assert splits.final.is_eval.sum() == (splits.test & data.has_target).sum() > 0
    for fold in (*splits.search, *splits.confirm):
        assert not (fold.is_train & fold.is_eval).any()
        assert not ((fold.is_train | fold.is_eval) & splits.test).any()
    for fold in (*splits.search, *splits.confirm, splits.final):
        if spec.by == "group":
            assert not set(data.group[fold.is_train]) & set(data.group[fold.is_eval])
        if spec.by == "blocks":
            block = np.arange(len(data.y)) * N_BLOCKS // len(data.y)
            assert not set(block[fold.is_train]) & set(block[fold.is_eval])
    again = Splits.of(data, spec, seed=seed)
    assert np.array_equal(splits.test, again.test)


def test_few_groups_are_folded_and_many_are_held_out() -> None:
    """With few groups one held-out group misleads; it says which was chosen."""
    few, note = resolve_split(data_of([10] * 6), SplitSpec())
    assert few.folds == 5
    assert "5 groups: validation is 5 folds" in note
    many, note = resolve_split(data_of([10] * 40), SplitSpec())
    assert many.folds == 1
    assert "holdout" in note


@pytest.mark.parametrize(("n_rows", "folds"), [(2, 1), (3, 3), (1999, 3), (2000, 1)])
def test_few_rows_are_folded_and_many_are_held_out(n_rows: int, folds: int) -> None:
    """A fifth of a few hundred rows soon has a perfect score, by luck."""
    resolved, note = resolve_split(data_of([n_rows], has_groups=False), SplitSpec(by="rows"))
    assert resolved.folds == folds
    assert ("3 folds" if folds > 1 else "holdout") in note


def test_folds_pool_to_every_row_once() -> None:
    """K folds judge each row of the search exactly once."""
    data = data_of([10] * 6)
    spec, _ = resolve_split(data, SplitSpec())
    splits = Splits.of(data, spec, seed=0)
    assert np.array_equal(sum(fold.is_eval.astype(int) for fold in splits.search), (~splits.test).astype(int))


@pytest.mark.parametrize("by", ["group", "blocks", "rows"])
def test_scores_are_confirmed_on_every_row_once(by: str) -> None:
    """On other folds than those of the search, which the search has chosen by."""
    data = data_of([10] * 40)
    spec, _ = resolve_split(data, SplitSpec(by=by))  # type: ignore[arg-type]  # of the choices
    splits = Splits.of(data, spec, seed=0)
    assert (len(splits.search), len(splits.confirm)) == (1 if by == "group" else 3, 5)
    assert np.array_equal(sum(fold.is_eval.astype(int) for fold in splits.confirm), (~splits.test).astype(int))
    assert not any(np.array_equal(fold.is_eval, splits.search[0].is_eval) for fold in splits.confirm)


def test_few_groups_are_left_out_one_by_one() -> None:
    """More folds than groups there cannot be."""
    data = data_of([30] * 3, is_test=np.arange(90) >= 60)
    spec, _ = resolve_split(data, SplitSpec())
    assert [len(np.unique(data.group[fold.is_eval])) for fold in Splits.of(data, spec, seed=0).confirm] == [1, 1]


def test_a_series_is_confirmed_on_its_last_blocks() -> None:
    """One after another, each as long as the validation's, with all rows before it to train on."""
    data = data_of([200], has_groups=False)
    spec, _ = resolve_split(data, SplitSpec())
    folds = Splits.of(data, spec, seed=0).confirm
    assert [int(fold.is_eval.sum()) for fold in folds] == [32] * 3
    assert [int(fold.is_train.sum()) for fold in folds] == [64, 96, 128]
    long = Splits.of(data, spec.model_copy(update={"validation_share": 0.5}), seed=0).confirm
    assert [(int(fold.is_train.sum()), int(fold.is_eval.sum())) for fold in long] == [(80, 80)]


def test_time_order_keeps_the_future_out_and_the_horizon_too() -> None:
    """No training row's target lies among the evaluation rows."""
    data = data_of([200], has_groups=False, horizon=10)
    spec, _ = resolve_split(data, SplitSpec())
    assert spec.by == "time"
    splits = Splits.of(data, spec, seed=0)
    assert len(splits.confirm) == 3
    for fold in (*splits.search, *splits.confirm, splits.final):
        assert np.flatnonzero(fold.is_train).max() + 10 < np.flatnonzero(fold.is_eval).min()


@pytest.mark.parametrize("by", ["time", "rows"])
def test_no_target_of_the_search_was_read_from_a_test_row(by: str) -> None:
    """With a horizon a row's target lies elsewhere: rows whose target is a test row's are no part of the search."""
    data = data_of([120, 80], horizon=7, has_groups=True)
    spec, _ = resolve_split(data, SplitSpec(by=by))  # type: ignore[arg-type]  # of the choices
    splits = Splits.of(data, spec, seed=3)
    later = np.minimum(np.arange(200) + 7, 199)
    same_group = data.group[later] == data.group
    for fold in splits.search:
        used = np.flatnonzero((fold.is_train | fold.is_eval) & same_group)
        assert not splits.test[later[used]].any()
    if by == "time":
        for group in (0, 1):
            inside = data.group == group
            first = np.flatnonzero(splits.test & inside).min()
            assert np.flatnonzero(splits.final.is_train & inside).max() + 7 < first


def test_named_test_rows_are_the_test_rows() -> None:
    """An official test set is taken as it is."""
    is_test = np.arange(100) >= 70
    data = data_of([10] * 10, is_test=is_test)
    spec, _ = resolve_split(data, SplitSpec())
    assert np.array_equal(Splits.of(data, spec, seed=0).test, is_test)


def test_classes_are_spread_over_folds() -> None:
    """Where whole groups are of one class, every fold still has both."""
    data = data_of([10] * 8, "classification")
    pure = Dataset(**{**data.__dict__, "y": (data.group >= 4).astype(float)})
    spec, _ = resolve_split(pure, SplitSpec(folds=3))
    for fold in Splits.of(pure, spec, seed=1).search:
        assert len(np.unique(pure.y[fold.is_train])) == 2


def test_too_few_groups_are_refused() -> None:
    """With what would be needed, and another way."""
    with pytest.raises(StudyError, match="3 groups are needed"):
        resolve_split(data_of([10, 10]), SplitSpec(by="group"))


@given(
    st.integers(2, 12), st.sampled_from(["time", "blocks", "rows"]), st.sampled_from(["regression", "classification"])
)
def test_too_few_rows_are_said_in_words(n_rows: int, by: str, task: str) -> None:
    """However few: either there is a split, or a message says what to change."""
    data = data_of([n_rows], task, has_groups=False)
    try:
        spec, _ = resolve_split(data, SplitSpec(by=by))  # type: ignore[arg-type]  # of the choices
        splits = Splits.of(data, spec, seed=0)
    except StudyError:
        return
    assert splits.final.is_train.any()
    assert splits.final.is_eval.any()
