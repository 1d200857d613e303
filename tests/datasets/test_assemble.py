"""From raw rows to numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.core.spec import DataSpec
from cemai_opt.datasets import READERS, Dataset
from cemai_opt.datasets.demo import tool_wear_runs


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


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "semicolon.csv", "a.parquet"])
def test_every_format_gives_the_same_rows(frame: pd.DataFrame, tmp_path: Path, name: str) -> None:
    """Comma, semicolon, gzip, Parquet."""
    data = read(frame, tmp_path, name=name)
    assert data.names == ("unit=a", "unit=b", "t", "x")
    assert data.y.tolist() == (np.arange(8.0) * 10).tolist()


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


def test_text_becomes_columns_or_is_left_out_aloud(frame: pd.DataFrame, tmp_path: Path) -> None:
    """Few values: a 0/1 column each. Many: left out, and said."""
    long = pd.concat([frame] * 5, ignore_index=True).assign(note=[f"n{i}" for i in range(40)])
    data = read(long, tmp_path)
    assert {"unit=a", "unit=b"} <= set(data.names)
    assert any("'note' is left out" in note for note in data.notes)
    assert data.X[:, data.names.index("unit=a")].sum() == 20


def test_test_rows_of_a_second_file_are_groups_of_their_own(frame: pd.DataFrame, tmp_path: Path) -> None:
    """Unit `a` of the test file is another unit than `a` of the training file."""
    frame.to_csv(tmp_path / "test.csv", index=False)
    data = read(frame, tmp_path, group="unit", time="t", test=str(tmp_path / "test.csv"))
    assert data.group_names == ("b", "a", "test:b", "test:a")
    assert data.is_test.tolist() == [False] * 8 + [True] * 8


def test_the_task_is_guessed_and_said(frame: pd.DataFrame, tmp_path: Path) -> None:
    """Two whole numbers are classes, many real ones are a regression; a choice by hand stands."""
    binary = frame.assign(y=[0, 1] * 4)
    guessed = read(binary, tmp_path, "auto")
    assert (guessed.task, guessed.classes) == ("classification", ("0", "1"))
    assert "guessed" in guessed.notes[0]
    assert read(binary, tmp_path, "regression").task == "regression"
    assert read(frame.assign(y=np.linspace(0, 1, 8)), tmp_path, "auto").task == "regression"
    with pytest.raises(StudyError, match="not numeric"):
        read(frame.assign(y=list("abcdefgh")), tmp_path, "regression")


def test_the_digest_changes_with_any_number(frame: pd.DataFrame, tmp_path: Path) -> None:
    """A resumed run notices that its data has changed."""
    first = read(frame, tmp_path).digest
    assert read(frame, tmp_path).digest == first
    frame.loc[3, "x"] += 1e-9
    assert read(frame, tmp_path).digest != first


def test_the_demo_is_the_same_each_time_and_looks_like_tool_wear() -> None:
    """Deterministic by seed; wear rises and ends near 0.3 mm; gaps, a constant channel, uneven lengths."""
    runs = tool_wear_runs()
    pd.testing.assert_frame_equal(runs, tool_wear_runs())
    assert not runs.equals(tool_wear_runs(seed=1))
    by_run = runs.groupby("run")
    assert by_run["tool_wear"].apply(lambda w: w.is_monotonic_increasing).all()
    assert by_run["tool_wear"].last().between(0.2, 0.4).all()
    assert by_run.size().nunique() > 10
    assert runs["coolant"].nunique() == 1
    assert 0.005 < runs["force_c"].isna().mean() < 0.02
    assert runs["force_f"].corr(runs["depth"]) > 0.5
