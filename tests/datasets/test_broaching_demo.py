"""Generated broaching strokes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.datasets import READERS
from cemai_opt.datasets.broaching_demo import CHANNELS, STROKES, broaching_strokes


def test_the_same_seed_gives_the_same_strokes() -> None:
    """Whatever their number; another seed gives others."""
    three = broaching_strokes(3, n_rows=500, seed=1)
    pd.testing.assert_frame_equal(three[:1000], broaching_strokes(2, n_rows=500, seed=1))
    assert not three.equals(broaching_strokes(3, n_rows=500, seed=2))


def test_wear_is_in_the_spread_of_the_signals_not_in_single_values() -> None:
    """As with real accelerations: a model of raw rows learns nothing."""
    rows = broaching_strokes(n_rows=2000)
    wear, spread = rows.groupby("stroke")["tool_wear"].mean(), rows.groupby("stroke")[list(CHANNELS)].std().mean(axis=1)
    assert np.corrcoef(wear, spread)[0, 1] > 0.9
    assert all(abs(np.corrcoef(rows["tool_wear"], rows[channel])[0, 1]) < 0.2 for channel in CHANNELS)
    assert (np.diff(rows.loc[rows["stroke"] == 0, "tool_wear"]) >= 0).all()


def test_there_are_as_many_rows_as_wanted() -> None:
    """About: in 40 strokes, or in whole tools; what is read from files cannot be told to have more."""
    data = READERS.require("broaching_demo")().read(DataSpec(source="broaching_demo", rows=3990), "regression")
    assert (len(data.y), len(data.group_names)) == (4000, STROKES)
    tools = READERS.require("demo")().read(DataSpec(source="demo", rows=20_000), "regression")
    assert len(tools.y) == pytest.approx(20_000, rel=0.15)
    with pytest.raises(StudyError, match="--rows is for generated data"):
        READERS.require("tabular")().read(DataSpec(path="a.csv", rows=10), "regression")
