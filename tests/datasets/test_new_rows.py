"""Rows that a trained model is to predict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.datasets import known_pieces, read_new_rows, rows_of_frame
from cemai_opt.datasets._schema import Column, Schema

SCHEMA = Schema(
    columns=(Column(name="x"), Column(name="material", levels=("brass", "steel"))),
    target="y",
    group="unit",
    time="t",
    left_out=("note",),
    missing=-200.0,
)


@pytest.fixture
def frame() -> pd.DataFrame:
    """Four rows of two units."""
    return pd.DataFrame(
        {"unit": list("baab"), "t": [0, 0, 1, 1], "x": [1.0, -200.0, 3.0, 4.0], "material": ["steel", "brass"] * 2}
    )


def test_rows_become_the_inputs_of_the_model(frame: pd.DataFrame) -> None:
    """Columns in the order of training, whatever theirs; the sentinel of training is missing here too."""
    rows = rows_of_frame(frame[frame.columns[::-1]], SCHEMA)
    np.testing.assert_array_equal(rows.X, [[1, 0, 1], [np.nan, 1, 0], [3, 0, 1], [4, 1, 0]])
    assert rows.group.tolist() == [0, 1, 1, 0]
    assert rows.order.tolist() == [0, 0, 1, 1]
    assert rows.notes == ()


def test_a_file_gives_the_same_rows_as_a_frame(frame: pd.DataFrame, tmp_path: Path) -> None:
    """By way of numbers on disk, which nobody can change by mistake."""
    frame.to_csv(tmp_path / "new.csv", index=False)
    rows, same = read_new_rows(tmp_path / "new.csv", SCHEMA, scratch=tmp_path), rows_of_frame(frame, SCHEMA)
    np.testing.assert_array_equal(rows.X, same.X)
    assert (rows.group.tolist(), rows.order.tolist()) == (same.group.tolist(), same.order.tolist())
    assert not rows.X.flags.writeable


def test_a_unit_is_the_same_one_in_every_piece(frame: pd.DataFrame, tmp_path: Path) -> None:
    """Two files of a folder, in which the units come in another order."""
    folder = tmp_path / "new"
    folder.mkdir()
    for name, part in (("1.csv", frame[:1]), ("2.csv", frame[1:])):
        part.to_csv(folder / name, index=False)
    schema = Schema(
        columns=(Column(name="x"), Column(name="material")), group="unit", time="t", left_out=("file", "note")
    )
    numbers = frame.assign(material=[1, 2, 3, 4])
    for name, part in (("1.csv", numbers[:1]), ("2.csv", numbers[1:])):
        part.to_csv(folder / name, index=False)
    assert read_new_rows(folder, schema, scratch=tmp_path).group.tolist() == [0, 1, 1, 0]


def test_without_a_time_rows_are_in_the_order_of_their_file(tmp_path: Path) -> None:
    """Through all pieces; without groups they are one."""
    folder = tmp_path / "new"
    folder.mkdir()
    for name in ("1.csv", "2.csv"):
        (folder / name).write_text("x\n1\n2\n")
    rows = read_new_rows(folder, Schema(columns=(Column(name="x"),), left_out=("file",)), scratch=tmp_path)
    assert rows.order.tolist() == [0, 1, 2, 3]
    assert rows.group.tolist() == [0, 0, 0, 0]


def test_an_unknown_text_is_counted_and_said(frame: pd.DataFrame) -> None:
    """It is none of the levels; a missing text is no unknown one."""
    rows = rows_of_frame(frame.assign(material=["gold", "gold", None, "steel"]), SCHEMA)
    assert rows.X[:, 1:].tolist() == [[0, 0], [0, 0], [0, 0], [0, 1]]
    assert rows.notes == ("column 'material': 2 rows hold a value that did not occur in training",)


def test_target_and_left_out_columns_may_be_there(frame: pd.DataFrame) -> None:
    """They are not looked at."""
    more = frame.assign(y="unknown", note=np.inf)
    np.testing.assert_array_equal(rows_of_frame(more, SCHEMA).X, rows_of_frame(frame, SCHEMA).X)


def test_a_missing_column_is_named_with_its_role_and_a_likely_one(frame: pd.DataFrame) -> None:
    """A renamed column is found by its name."""
    with pytest.raises(StudyError, match=r"lacks the input column 'material' \(did you mean 'materials'\?\)"):
        rows_of_frame(frame.rename(columns={"material": "materials"}), SCHEMA)
    with pytest.raises(StudyError, match="lacks the time column 't'"):
        rows_of_frame(frame.drop(columns="t"), SCHEMA)


def test_a_column_that_the_model_does_not_know_is_refused(frame: pd.DataFrame) -> None:
    """It may be an input under another name."""
    with pytest.raises(StudyError, match="column 'speed' that is not an input of the model"):
        rows_of_frame(frame.assign(speed=1.0), SCHEMA)


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("x", ["1", "2", "three", "4"], "'x' was numeric in training, but holds 'three' in row 2"),
        ("x", [1.0, np.inf, 3.0, 4.0], "'x' holds 1 infinite values, first in row 1"),
        ("unit", ["a", "b", None, "a"], "group column 'unit' is empty in row 2"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(frame: pd.DataFrame, column: str, values: list[object], said: str) -> None:
    """With its column and row."""
    with pytest.raises(StudyError, match=said):
        rows_of_frame(frame.assign(**{column: values}), SCHEMA)


def test_text_that_looks_like_numbers_stays_text(tmp_path: Path) -> None:
    """Levels 01 and 1 are two."""
    (tmp_path / "new.csv").write_text("code\n01\n1\n")
    schema = Schema(columns=(Column(name="code", levels=("01", "1")),))
    assert [piece["code"].tolist() for piece in known_pieces(tmp_path / "new.csv", schema)] == [["01", "1"]]


def test_a_header_alone_is_no_data(tmp_path: Path) -> None:
    """Said as such."""
    (tmp_path / "new.csv").write_text("x\n")
    with pytest.raises(StudyError, match="has no rows"):
        read_new_rows(tmp_path / "new.csv", Schema(columns=(Column(name="x"),)), scratch=tmp_path)
