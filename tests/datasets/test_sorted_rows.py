"""Raw rows in order, and which of them are kept for the test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.datasets._dataset import Frames
from cemai_opt.datasets._sorted_rows import SortedRows

ROWS = pd.DataFrame(
    {"unit": list("babababa"), "t": [3, 0, 2, 1, 1, 2, 0, 3], "x": np.arange(8.0), "y": np.arange(8.0) * 10}
)
"""Two units of four rows, out of order."""


def in_order(frames: Frames | None = None, **spec: object) -> SortedRows:
    given = DataSpec(**{"target": "y", "group": "unit", "time": "t", **spec})  # type: ignore[arg-type]  # passed on
    return SortedRows.of(frames or Frames(rows=ROWS), given, task="regression")


def test_all_of_a_row_moves_with_it() -> None:
    """Values, group, time and moment; the target and the columns of group and time are no inputs."""
    found = in_order()
    assert found.rows["x"].tolist() == [6, 4, 2, 0, 1, 3, 5, 7]
    assert [found.group_names[code] for code in found.group] == found.rows["unit"].tolist() == list("bbbbaaaa")
    assert found.times is not None
    assert found.times.tolist() == found.moments.tolist() == [0, 1, 2, 3] * 2
    assert list(found.roles.inputs(found.rows, DataSpec(target="y"))) == ["x"]


def test_test_rows_are_those_named_and_the_newest_of_the_last_part() -> None:
    """A group by its name; and of what was appended, the last group."""
    assert in_order(test_groups=("a",)).is_test.tolist() == [False] * 4 + [True] * 4
    appended = pd.concat([ROWS, ROWS.replace({"unit": {"b": "c", "a": "d"}})], ignore_index=True)
    found = in_order(Frames(rows=appended, parts={"first": 8, "second": 8}), test_last=0.5)
    assert {found.group_names[code] for code in found.group[found.is_test]} == {"d"}
    with pytest.raises(StudyError, match="there is none"):
        in_order(test_last=0.5)


def test_a_code_for_no_value_is_one_in_measured_columns_only() -> None:
    """A moment of 0 stays."""
    found = in_order(missing=0.0)
    assert found.rows["x"].isna().sum() == found.rows["y"].isna().sum() == 1
    assert found.rows["t"].notna().all()


def test_what_is_not_there_is_said() -> None:
    """Rows, or a column."""
    with pytest.raises(StudyError, match="no rows"):
        in_order(Frames(rows=ROWS[:0]))
    with pytest.raises(StudyError, match="group column 'unti' is not in the data"):
        in_order(group="unti")
