"""A data set on disk, which several processes share."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.datasets import Dataset, Schema, load_stored, store
from cemai_opt.datasets._schema import Column


@pytest.fixture
def data() -> Dataset:
    """Four rows, with something in every field."""
    return Dataset(
        X=np.array([[1.0, np.nan], [2.0, 0.0], [3.0, 1.0], [4.0, 0.5]]),
        y=np.array([0.0, 1.0, np.nan, 1.0]),
        group=np.array([0, 0, 1, 1]),
        order=np.array([0.0, 1.0, 0.0, 1.0]),
        is_test=np.array([False, False, True, True]),
        names=("x", "steel=hard"),
        group_names=("a", "test:a"),
        task="classification",
        classes=("no", "yes"),
        has_groups=True,
        has_time=True,
        horizon=1,
        notes=("positive class: 'yes'",),
        schema=Schema(columns=(Column(name="x"), Column(name="steel", levels=("hard",))), target="y", missing=-1.0),
    )


def test_what_is_loaded_is_what_was_stored(data: Dataset, tmp_path: Path) -> None:
    """Every field, arrays with their type."""
    back = load_stored(store(data, tmp_path))
    for field in fields(Dataset):
        kept, loaded = getattr(data, field.name), getattr(back, field.name)
        if isinstance(kept, np.ndarray):
            np.testing.assert_array_equal(loaded, kept)
            assert loaded.dtype == kept.dtype
        else:
            assert loaded == kept
    assert back.digest == data.digest


def test_no_process_can_change_what_others_read(data: Dataset, tmp_path: Path) -> None:
    """The arrays are read-only."""
    back = load_stored(store(data, tmp_path))
    with pytest.raises(ValueError, match="read-only"):
        back.X[0, 0] = 7.0


def test_the_same_data_is_stored_once(data: Dataset, tmp_path: Path) -> None:
    """The second one finds the folder of the first, and leaves no draft."""
    place = store(data, tmp_path)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert store(replace(data), tmp_path) == place
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == written


def test_other_data_has_a_place_of_its_own(data: Dataset, tmp_path: Path) -> None:
    """One changed number is enough."""
    other = replace(data, X=data.X + 1e-9)
    assert store(other, tmp_path) != store(data, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_place_that_is_taken_by_something_else_is_an_error(data: Dataset, tmp_path: Path) -> None:
    """It is never taken for the data."""
    place = tmp_path / f"data-{data.digest}"
    place.mkdir()
    (place / "other.txt").write_text("not a data set")
    with pytest.raises(OSError):  # noqa: PT011  # the system's own words
        store(data, tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == [place.name, "other.txt"]


def test_a_folder_that_is_gone_is_an_error_of_the_study(tmp_path: Path) -> None:
    """No trial can run without the data, so it is not the trial's."""
    with pytest.raises(StudyError, match="is missing"):
        load_stored(tmp_path / "data-gone")
