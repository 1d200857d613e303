"""The data that a new model is trained on."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.updating.candidates import TEST_SHARE, check_unchanged, data_with
from tests.updating.test_log import entry


def test_new_rows_follow_and_earlier_test_rows_become_training_rows() -> None:
    """Only the newest rows are held out."""
    data = data_with(DataSpec(path="a", test="t", append=("b",), test_groups=("1",)), ["c", "d"])
    assert data.append == ("t", "b", "c", "d")
    assert (data.path, data.test, data.test_groups, data.test_last) == ("a", None, (), TEST_SHARE)


def test_rows_that_are_gone_or_changed_are_named(tmp_path: Path) -> None:
    """An update needs all of them, as they were."""
    path = tmp_path / "week1.csv"
    earlier = [replace(entry(), data=str(path), data_sha256=sha256(b"rows").hexdigest())]
    with pytest.raises(StudyError, match=r"week1\.csv, rows of update 0, is gone"):
        check_unchanged(earlier)
    path.write_bytes(b"rows")
    check_unchanged(earlier)
    path.write_bytes(b"others")
    with pytest.raises(StudyError, match="has changed since update 0"):
        check_unchanged(earlier)
