"""The pipelines of a table in a study."""

from __future__ import annotations

import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.core.study import StudySpec
from cemai_opt.core.study_file import parse_study
from cemai_opt.core.table_spec import TableSpec


def test_the_default_table_is_that_of_cemai() -> None:
    """Seven models by their short names, windows of ten rows."""
    spec = TableSpec()
    assert list(spec.models) == ["DT", "RF", "GB", "XGB", "DNN", "CNN", "LSTM"]
    assert spec.window_rows == 10


def test_a_table_does_not_change_what_a_result_means() -> None:
    """And a study without one is written as before."""
    plain, other = StudySpec(), parse_study({"table": {"repeats": 7}}, "test")
    assert other.table is not None
    assert other.table.repeats == 7
    assert plain.is_comparable_to(other)
    assert "table" not in plain.to_json()
    assert other.to_json()["table"]["repeats"] == 7
    with pytest.raises(StudyError, match=r"table\.models"):
        parse_study({"table": {"models": {}}}, "test")
