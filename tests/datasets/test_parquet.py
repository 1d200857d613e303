"""Parquet files are read as text is."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.datasets import Dataset
from cemai_opt.datasets.tabular import Tabular


def read(path: Path) -> Dataset:
    """The file with target y."""
    return Tabular().read(DataSpec(path=str(path), target="y"), "regression")


def test_parquet_is_read_as_text_is(tmp_path: Path) -> None:
    """Decimals, numbers as text, categories, dates of days; the index of a frame is no column."""
    frame = pd.DataFrame(
        {
            "x": [Decimal("1.50"), Decimal("2.25"), None],
            "text": ["1.5", "NA", "3"],
            "kind": pd.Categorical(["NA", "b", "b"]),
            "day": [datetime.date(2026, 1, 1), datetime.date(2026, 2, 2), datetime.date(2026, 3, 4)],
            "y": [1.0, 2.5, 3.5],
        },
        index=pd.Index(["p", "q", "r"], name="part"),
    )
    frame.to_parquet(tmp_path / "a.parquet")
    data = read(tmp_path / "a.parquet")
    assert data.names == ("x", "text", "kind=NA", "kind=b", "day.weekday", "day.month")
    assert data.X[:2, 0].tolist() == [1.5, 2.25]
    assert np.isnan(data.X[2, 0])
    assert np.isnan(data.X[1, 1])
    assert data.X[:, 2].tolist() == [1.0, 0.0, 0.0]
    assert any("'text' is numeric: 1 x 'NA' taken as missing" in note for note in data.notes)
    frame.assign(text=["1,5 mm", "2 mm", "3 mm"]).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(StudyError, match="column 'text' holds numbers with the unit 'mm'"):
        read(tmp_path / "b.parquet")
