"""What every data source does with its rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.datasets import Frames, Reader


class Given(Reader):
    """The rows that it was given, with a target of its own."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def _read(self, spec: DataSpec) -> Frames:
        return Frames(rows=self.frame)

    def _filled(self, spec: DataSpec) -> DataSpec:
        return spec.model_copy(update={"target": spec.target or "y"})


FRAME = pd.DataFrame({"x": np.arange(4.0), "z": np.arange(4.0) ** 2, "y": [0.5, 1.5, 2.5, 3.5]})


def test_a_source_reads_and_its_rows_are_checked() -> None:
    """With the defaults that it knows; a choice of the study comes first."""
    data = Given(FRAME).read(DataSpec(), "regression")
    assert (data.schema.target, data.names) == ("y", ("x", "z"))
    assert Given(FRAME).read(DataSpec(target="z"), "regression").names == ("x", "y")
    with pytest.raises(StudyError, match="target column 'w' is not in the data"):
        Given(FRAME).read(DataSpec(target="w"), "regression")


class Broken(Given):
    """A source whose rows pandas cannot handle."""

    def _filled(self, spec: DataSpec) -> DataSpec:
        raise TypeError("unhashable type: 'list'")


def test_a_cell_that_is_no_value_is_an_error_of_the_data() -> None:
    """Such as a list in a Parquet file, at which pandas fails in its own words."""
    with pytest.raises(StudyError, match=r"neither numbers nor text: unhashable type: 'list' \(leave it out\)"):
        Broken(FRAME).read(DataSpec(), "regression")
    with pytest.raises(StudyError, match="neither numbers nor text"):
        Given(FRAME.assign(y=pd.Series([[1], [2], [3], [4]], dtype=object))).read(DataSpec(), "auto")
