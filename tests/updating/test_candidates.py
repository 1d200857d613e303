"""The data that a new model is trained on."""

from __future__ import annotations

from pathlib import Path

import pytest

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.updating.candidates import TEST_SHARE, check_present, data_with


def test_new_rows_follow_and_earlier_test_rows_become_training_rows() -> None:
    """Only the newest rows are held out."""
    data = data_with(DataSpec(path="a", test="t", append=("b",), test_groups=("1",)), ["c", "d"])
    assert data.append == ("t", "b", "c", "d")
    assert (data.path, data.test, data.test_groups, data.test_last) == ("a", None, (), TEST_SHARE)


def test_rows_that_are_gone_are_named(tmp_path: Path) -> None:
    """An update needs all of them."""
    with pytest.raises(StudyError, match=r"week1\.csv"):
        check_present([str(tmp_path / "week1.csv")])
