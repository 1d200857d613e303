"""New rows with their targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.datasets import Column, Schema, read_labelled_rows

SCHEMA = Schema(columns=(Column(name="x"),), target="y", group="unit", time="t")


def written(folder: Path, y: object, *, sep: str = ",") -> Path:
    """Two units of two rows, the later ones first."""
    frame = pd.DataFrame({"unit": ["b", "b", "a", "a"], "t": [2, 1, 2, 1], "x": [1.0, 2.0, 3.0, 4.0], "y": y})
    text = frame.to_csv(index=False, sep=sep)
    (folder / "new.csv").write_text(text.replace(".", ",") if sep == ";" else text)
    return folder / "new.csv"


def test_rows_are_in_order_with_their_targets(tmp_path: Path) -> None:
    """Groups as they appear, times ascending, the target limited as in training."""
    data = read_labelled_rows(written(tmp_path, [1.5, 2.5, 3.5, 9.0]), SCHEMA, classes=(), clip_target=5.0)
    assert data.X[:, 0].tolist() == [2.0, 1.0, 4.0, 3.0]
    assert data.y.tolist() == [2.5, 1.5, 5.0, 3.5]
    assert data.group_names == ("b", "a")


def test_decimal_commas_are_numbers_in_the_target_too(tmp_path: Path) -> None:
    """As in the training data."""
    data = read_labelled_rows(written(tmp_path, [1.5, 2.5, 3.5, 9.0], sep=";"), SCHEMA, classes=())
    assert data.y.tolist() == [2.5, 1.5, 9.0, 3.5]


def test_a_horizon_moves_targets_inside_their_group(tmp_path: Path) -> None:
    """The last row of a group has none."""
    data = read_labelled_rows(written(tmp_path, [1.0, 2.0, 3.0, 4.0]), SCHEMA, classes=(), horizon=1)
    assert np.array_equal(data.y, [1.0, np.nan, 3.0, np.nan], equal_nan=True)


@pytest.mark.parametrize(
    ("classes", "y", "codes"),
    [
        (("fresh", "worn"), ["worn", "fresh", None, "worn"], [0.0, 1.0, 1.0, np.nan]),
        (("0", "1"), [1, 0, 1, 1], [0.0, 1.0, 1.0, 1.0]),
        (("0", "1"), [1, 0, None, 1], [0.0, 1.0, 1.0, np.nan]),  # pandas writes 1.0 beside an empty cell
        (("False", "True"), ["true", "false", "true", "true"], [0.0, 1.0, 1.0, 1.0]),
    ],
)
def test_classes_are_the_codes_of_the_model(
    tmp_path: Path, classes: tuple[str, ...], y: list[object], codes: list[float]
) -> None:
    """However the file writes them; an empty cell is no class."""
    data = read_labelled_rows(written(tmp_path, y), SCHEMA, classes=classes)
    assert np.array_equal(data.y, codes, equal_nan=True)


@pytest.mark.parametrize(
    ("classes", "y", "message"),
    [
        (("fresh", "worn"), ["new", "worn", "worn", "worn"], "'new', a class that the model does not know"),
        ((), ["much", "1", "2", "3"], "is no number"),
        ((), [None] * 4, "no row of .* has a target"),
    ],
)
def test_targets_that_the_model_cannot_know_are_named(
    tmp_path: Path, classes: tuple[str, ...], y: list[object], message: str
) -> None:
    """With the value."""
    with pytest.raises(StudyError, match=message):
        read_labelled_rows(written(tmp_path, y), SCHEMA, classes=classes)
