"""From raw rows to numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.datasets import READERS, Dataset


def read(frame: pd.DataFrame, folder: Path, task: str = "regression", name: str = "a.csv", **spec: object) -> Dataset:
    """The data set that a frame becomes, by way of a file."""
    path = folder / name
    if name.endswith(".parquet"):
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep=";" if "semicolon" in name else ",")
    return READERS.find("tabular")().read(DataSpec(path=str(path), target="y", **spec), task)  # type: ignore[arg-type]  # passed on


@pytest.fixture
def frame() -> pd.DataFrame:
    """Two units of four rows, out of order."""
    return pd.DataFrame(
        {"unit": list("babababa"), "t": [3, 0, 2, 1, 1, 2, 0, 3], "x": np.arange(8.0), "y": np.arange(8.0) * 10}
    )


def test_rows_stand_by_group_and_time(frame: pd.DataFrame, tmp_path: Path) -> None:
    """Groups in order of appearance, time inside a group; neither column is an input."""
    data = read(frame, tmp_path, group="unit", time="t")
    assert data.group_names == ("b", "a")
    assert data.group.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert data.X[:, 0].tolist() == [6, 4, 2, 0, 1, 3, 5, 7]
    assert data.names == ("x",)


def test_the_horizon_looks_ahead_inside_a_group(frame: pd.DataFrame, tmp_path: Path) -> None:
    """The last rows of a group have no target then, and stay as history."""
    data = read(frame, tmp_path, group="unit", time="t", horizon=2)
    assert data.y[:2].tolist() == [20.0, 0.0]
    assert np.isnan(data.y[2:4]).all()
    assert data.y[4:6].tolist() == [50.0, 70.0]
    assert any("4 rows have no target" in note for note in data.notes)


def test_sentinels_are_missing_and_targets_are_capped(frame: pd.DataFrame, tmp_path: Path) -> None:
    """-200 is no value; remaining useful life ends at its cap."""
    frame.loc[2, "x"] = -200
    data = read(frame, tmp_path, missing=-200.0, clip_target=25.0)
    assert np.isnan(data.X[2, list(data.names).index("x")])
    assert data.y.max() == 25.0


def test_test_rows_of_a_second_file_are_groups_of_their_own(frame: pd.DataFrame, tmp_path: Path) -> None:
    """Unit `a` of the test file is another unit than `a` of the training file."""
    frame.to_csv(tmp_path / "test.csv", index=False)
    data = read(frame, tmp_path, group="unit", time="t", test=str(tmp_path / "test.csv"))
    assert data.group_names == ("b", "a", "test:b", "test:a")
    assert data.is_test.tolist() == [False] * 8 + [True] * 8


@pytest.mark.parametrize(
    ("role", "spec"),
    [
        ("group", {"group": "y"}),
        ("time", {"time": "y"}),
        ("ignored", {"ignore": ("y",)}),
        ("regime", {"regime": ("y",)}),
    ],
)
def test_the_target_has_no_other_role(frame: pd.DataFrame, tmp_path: Path, role: str, spec: dict[str, object]) -> None:
    """It would be its own group, order, or input."""
    with pytest.raises(StudyError, match=f"'y' is the target, and the {role} column"):
        read(frame, tmp_path, **spec)
