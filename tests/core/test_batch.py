"""The rows between two stages."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.core.batch import Task, Windows, group_starts
from cemai_opt.testing import batch_of


@given(st.lists(st.integers(1, 5), max_size=8))
def test_every_row_knows_the_first_row_of_its_group(sizes: list[int]) -> None:
    """Whatever the sizes of the groups; no rows at all are no groups."""
    group = np.repeat(np.arange(len(sizes))[::-1], sizes)
    first = np.repeat(np.cumsum([0, *sizes])[:-1], sizes)
    assert group_starts(group).tolist() == first.tolist()


def test_windows_come_oldest_row_first_and_as_a_copy() -> None:
    """A model sees time run forwards, and cannot write into the rows of others."""
    rows = np.arange(10.0).reshape(5, 2)
    view = np.lib.stride_tricks.sliding_window_view(rows, 3, axis=0)
    taken = Windows(view, np.array([0, 0, 0, 1, 2])).take(np.array([4, 2]))
    assert taken.tolist() == [rows[2:5].tolist(), rows[0:3].tolist()]
    taken[:] = -1.0
    assert rows.min() == 0.0


@pytest.mark.parametrize("together", [1, 13, 10**6])
def test_windows_are_the_same_however_many_are_copied_together(together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values that are copied together: less than a window, two windows, all."""
    monkeypatch.setattr("cemai_opt.core.batch.CHUNK_VALUES", together)
    rows = np.arange(20.0).reshape(10, 2)
    view = np.lib.stride_tricks.sliding_window_view(rows, 3, axis=0)
    wanted = np.array([7, 0, 3, 3, 5])
    taken = Windows(view, np.arange(8)).take(wanted)
    assert taken.tolist() == [rows[i : i + 3].tolist() for i in wanted]


def test_a_stage_gets_a_new_batch_and_leaves_the_old_one_alone() -> None:
    """The fitted state of one stage is added to those of the others."""
    before = batch_of(np.ones((4, 2)), np.arange(4.0))
    after = before.with_fitted_state("clean", {"mean": np.zeros(2)}).with_fitted_state("scale", {})
    assert set(after.fitted_states) == {"clean", "scale"}
    assert not before.fitted_states


def test_every_column_has_a_name() -> None:
    """New columns come with new names, as many as there are columns."""
    batch = batch_of(np.ones((4, 2)), np.arange(4.0))
    wider = batch.with_columns(np.zeros((4, 3)), ("a", "b", "c"))
    assert (wider.X.shape, wider.names) == ((4, 3), ("a", "b", "c"))
    assert wider.y is batch.y
    with pytest.raises(AssertionError, match="3 columns, 2 names"):
        batch.with_columns(np.zeros((4, 3)), ("a", "b"))


def test_a_task_says_whether_it_has_classes() -> None:
    """Two kinds of task."""
    task = Task(kind="classification", score="f1", n_classes=2)
    assert task.is_classification
    assert not replace(task, kind="regression").is_classification
