"""What is predicted: numbers or classes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.datasets._target import MAX_CLASSES, Target, target_of


def target(values: object, task: str = "auto", **spec: object) -> Target:
    """The target in a column `y`."""
    return target_of(pd.Series(values, name="y"), task, spec=DataSpec(**spec))  # type: ignore[arg-type]  # passed on


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([0, 1, 1, 0], "classification"),
        ([1.0, 2.0, 3.0], "classification"),
        ([1.0, 2.5, 3.0], "regression"),
        (list(range(MAX_CLASSES)), "classification"),
        (list(range(MAX_CLASSES + 1)), "regression"),
        (["worn", "fresh", "worn"], "classification"),
        ([True, False, True], "classification"),
    ],
)
def test_the_task_is_inferred_and_said(values: list[object], task: str) -> None:
    """Few whole numbers and words are classes; many numbers or real ones are a regression."""
    inferred = target(values)
    assert inferred.task == task
    assert inferred.notes[0].startswith(f"task: {task} (inferred from 'y'")


def test_a_task_that_was_asked_for_stands() -> None:
    """Zeros and ones can be numbers too."""
    asked = target([0, 1, 1, 0], "regression")
    assert (asked.task, asked.notes, asked.y.tolist()) == ("regression", (), [0.0, 1.0, 1.0, 0.0])
    with pytest.raises(StudyError, match="'y' is not numeric"):
        target(["a", "b", "c"], "regression")


@given(st.integers(1, 20), st.integers(1, 20))
def test_the_rarer_of_two_labels_is_the_positive_class(n_good: int, n_worn: int) -> None:
    """The F1 score is about that one; the note says how rare it is."""
    found = target(["good"] * n_good + ["worn"] * n_worn, "classification")
    positive = "good" if n_good < n_worn else "worn"
    assert found.classes[1] == positive
    assert found.y.sum() == min(n_good, n_worn)
    assert f"positive class: {positive!r}, {min(n_good, n_worn) / (n_good + n_worn):.1%}" in found.notes[-1]


def test_the_larger_of_two_numbers_is_the_positive_class() -> None:
    """However rare it is; and true of false and true."""
    assert target([0, 1, 1, 1], "classification").classes == ("0", "1")
    assert target([3.0, 2.0, 3.0, 3.0], "classification").classes == ("2", "3")
    assert target([True, True, False]).y.tolist() == [1.0, 1.0, 0.0]


def test_the_positive_class_can_be_chosen() -> None:
    """A name that is none gets the nearest one; three classes have none."""
    chosen = target(["good"] * 3 + ["worn"], "classification", positive="good")
    assert (chosen.classes, chosen.y.tolist()) == (("worn", "good"), [1.0, 1.0, 1.0, 0.0])
    with pytest.raises(StudyError, match=r"no such class .*did you mean 'good'"):
        target(["good", "worn"], "classification", positive="god")
    with pytest.raises(StudyError, match="two classes, the target has 3"):
        target(["a", "b", "c"], "classification", positive="a")


@given(st.lists(st.sampled_from(["fresh", "used", "worn", None]), min_size=1, max_size=20))
def test_a_code_stands_for_its_class(labels: list[str | None]) -> None:
    """A row without a label has no target."""
    if len(set(labels) - {None}) < 2:
        with pytest.raises(StudyError, match=r"'y' is (empty|constant)"):
            target(pd.Series(labels, dtype=object), "classification")
        return
    found = target(pd.Series(labels, dtype=object), "classification")
    names = [None if np.isnan(code) else found.classes[int(code)] for code in found.y]
    assert names == labels


def test_a_target_is_capped_where_the_study_says() -> None:
    """Missing ones stay missing; a cap below all of them leaves nothing to predict."""
    np.testing.assert_array_equal(target([10.5, 130.0, np.nan], "regression", clip_target=125.0).y, [10.5, 125, np.nan])
    with pytest.raises(StudyError, match="makes all targets equal"):
        target([10.5, 130.0], "regression", clip_target=5.0)
    with pytest.raises(StudyError, match="the target is a class"):
        target(["a", "b"], "classification", clip_target=5.0)


@pytest.mark.parametrize(
    ("values", "task", "said"),
    [
        ([np.nan, np.nan], "auto", "is empty"),
        ([2, 2, 2], "auto", r"is constant \(2\)"),
        ([1.0, np.inf], "regression", "infinite values"),
        ([*map(str, range(11)), "x"], "auto", "numeric except for 1 of 12"),
        (list(range(40)), "classification", "40 classes in 40 rows"),
    ],
)
def test_a_target_that_cannot_be_learnt_is_refused(values: list[object], task: str, said: str) -> None:
    """With the reason."""
    with pytest.raises(StudyError, match=said):
        target(values, task)
