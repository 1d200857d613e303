"""A few test rows of recommended pipelines are kept for pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cemai_opt.core.result import ScoredRows
from cemai_opt.runs import RunFolder
from cemai_opt.runs.run_folder import TEST_ROWS
from cemai_opt.runs.test_rows import MAX_ROWS, MemberRows, TestRows, never_predicted
from tests.finished import finished_run


def test_at_most_a_thousand_rows_are_kept_evenly_spaced() -> None:
    """Both ends among them."""
    n = 3 * MAX_ROWS + 7
    rows = MemberRows.of(ScoredRows(y=np.arange(n) * 1.0, value=np.zeros(n), group=np.zeros(n, np.int64)))
    assert len(rows.y) == MAX_ROWS
    assert (rows.y[0], rows.y[-1]) == (0.0, n - 1.0)
    assert max(np.diff(rows.y)) - min(np.diff(rows.y)) <= 1.0
    few = MemberRows.of(ScoredRows(y=np.arange(3.0), value=np.zeros(3), group=np.zeros(3, np.int64)))
    assert few.y == (0.0, 1.0, 2.0)


def test_only_probabilities_are_confidences() -> None:
    """Decision values are none."""
    fields = {"y": np.zeros(2), "value": np.zeros(2), "group": np.zeros(2, np.int64)}
    probable = MemberRows.of(ScoredRows(**fields, by_class=np.array([[0.7, 0.3], [0.1, 0.9]])))
    decided = MemberRows.of(ScoredRows(**fields, by_class=np.array([[-2.0, 2.0], [1.0, -1.0]])))
    assert probable.confidence == (0.7, 0.9)
    assert decided.confidence is None


def test_a_run_keeps_those_of_what_it_recommends() -> None:
    """With the names of the groups; the predictions give the test score."""
    run = RunFolder(finished_run("regression").path)
    rows, front = run.test_rows(), run.front()
    assert rows is not None
    assert set(front.picks) <= set(rows.members)
    member = rows.members[front.pick("knee").trial]
    y, value = np.array(member.y), np.array(member.value)
    r2 = 1.0 - ((y - value) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    assert abs(r2 - (front.pick("knee").test or 0.0)) < 1e-3
    assert all(name.startswith("tool") for name in rows.groups.values())


def test_a_damaged_file_is_no_file(tmp_path: Path) -> None:
    """The report is written without it."""
    folder = RunFolder(tmp_path)
    assert folder.test_rows() is None
    folder.keep_test_rows(TestRows(members={}, groups={}))
    (tmp_path / TEST_ROWS).write_text("{")
    assert folder.test_rows() is None


def test_classes_that_are_never_predicted_are_named() -> None:
    """Only those that occur; a regression has none."""
    rows = ScoredRows(y=np.array([0.0, 1.0, 2.0]), value=np.array([0.0, 1.0, 1.0]), group=np.zeros(3, np.int64))
    (note,) = never_predicted({7: rows}, ("a", "b", "c", "d"))
    assert note == "trial 7 predicts no test row as 'c', although there are such rows"
    assert never_predicted({7: rows}, ()) == []
