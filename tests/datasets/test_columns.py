"""What becomes an input, and how."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.core.errors import StudyError
from cemai_opt.datasets import _columns
from cemai_opt.datasets._columns import (
    MAX_LEVELS,
    MIN_LEVEL_ROWS,
    inputs_of,
    is_number,
    refuse_infinite,
    refuse_nearly_numeric,
)
from cemai_opt.datasets._dates import DAY_FIRST, ISO
from cemai_opt.datasets._schema import CODES, DATE, LOCAL, Column


def seen(frame: pd.DataFrame) -> np.ndarray:
    """All rows are training rows."""
    return np.ones(len(frame), bool)


def test_numbers_stay_as_they_are_and_truths_become_zero_and_one() -> None:
    """A missing number stays missing."""
    frame = pd.DataFrame({"x": [1.5, np.nan, -2.0], "on": [True, False, True], "n": [1, 2, 3]})
    X, columns, left_out, notes = inputs_of(frame, seen(frame))
    np.testing.assert_array_equal(X, [[1.5, 1, 1], [np.nan, 0, 2], [-2.0, 1, 3]])
    assert columns == (Column(name="x"), Column(name="on"), Column(name="n"))
    assert (left_out, notes) == ((), ())


@given(st.lists(st.sampled_from(["steel", "brass", "iron", None]), min_size=1, max_size=12))
def test_a_text_is_one_of_its_levels_and_a_missing_one_is_none(texts: list[str | None]) -> None:
    """The inputs of a text column add up to one; a column without any value is left out aloud."""
    frame = pd.DataFrame({"x": 1.0, "material": pd.Series(texts, dtype=object)})
    X, columns, left_out, notes = inputs_of(frame, seen(frame))
    if not any(texts):
        assert (X.shape[1], left_out) == (1, ("material",))
        assert notes == ("column 'material' is left out: it has no value at all",)
        return
    assert columns[1].levels == tuple(sorted({text for text in texts if text is not None}))
    assert X[:, 1:].sum(axis=1).tolist() == [0.0 if text is None else 1.0 for text in texts]


def test_levels_are_those_of_the_training_rows() -> None:
    """A test row with another text is none of them, so that the test tells the truth about new rows."""
    frame = pd.DataFrame({"x": 1.0, "material": ["steel", "brass", "gold"]})
    X, columns, _, _ = inputs_of(frame, np.array([True, True, False]))
    assert columns[1].inputs == ("material=brass", "material=steel")
    assert X[2, 1:].tolist() == [0.0, 0.0]


def test_text_with_hardly_a_row_for_each_value_is_left_out_aloud() -> None:
    """It is a label or a note; one value fewer, and it is an input."""
    labels = [f"n{i}" for i in range(MAX_LEVELS + 1)]
    frame = pd.DataFrame({"x": 1.0, "note": labels})
    _, columns, left_out, (note,) = inputs_of(frame, seen(frame))
    assert (columns, left_out) == ((Column(name="x"),), ("note",))
    assert f"'note' is left out: text with {MAX_LEVELS + 1} values" in note
    assert inputs_of(frame[1:], seen(frame[1:]))[2] == ()


TOOLS = [f"T{i:02d}" for i in range(MAX_LEVELS + 1)]


def test_text_with_many_values_is_a_code_and_comes_last() -> None:
    """A value that does not occur in training, and a missing one, have no code."""
    frame = pd.DataFrame({"tool": [*TOOLS * MIN_LEVEL_ROWS, "new", None], "x": 1.0})
    is_seen = np.arange(len(frame)) < len(frame) - 2
    X, columns, _, (note,) = inputs_of(frame, is_seen)
    assert columns == (Column(name="x"), Column(name="tool", levels=tuple(TOOLS), kind=CODES))
    assert X[:21, 1].tolist() == list(range(21))
    assert np.isnan(X[-2:, 1]).all()
    assert f"'tool' has {MAX_LEVELS + 1} values" in note
    assert inputs_of(frame, is_seen, encode=False)[2] == ("tool",)


@pytest.mark.parametrize("style", ["%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M", None])
def test_a_date_gives_the_parts_that_vary(style: str | None) -> None:
    """As ISO 8601, with dots, or as a type of its own; the month is the same in all rows."""
    stamps = pd.Series(pd.date_range("2026-03-02 22:00", periods=10, freq="1h"))
    frame = pd.DataFrame({"x": 1.0, "at": stamps if style is None else stamps.dt.strftime(style)})
    X, columns, _, (note,) = inputs_of(frame, seen(frame))
    dotted = style is not None and "." in style
    style = DAY_FIRST if dotted else ISO
    assert columns[1] == Column(name="at", levels=("hour", "weekday"), kind=DATE, style=style, zone=LOCAL)
    assert columns[1].inputs == ("at.hour", "at.weekday")
    assert X[:3, 1:].tolist() == [[22.0, 0.0], [23.0, 0.0], [0.0, 1.0]]
    assert f"'at' is a date{' (day first)' if dotted else ''}: inputs are its hour, weekday" in note
    assert inputs_of(frame, seen(frame), encode=False)[2] == ("at",)


def test_a_date_whose_parts_are_all_the_same_is_no_input() -> None:
    """It may order rows, if it is named as the time."""
    frame = pd.DataFrame({"x": [1.0, 2.0], "at": pd.to_datetime(["2026-01-01 08:00", "2026-01-01 08:01"])})
    assert inputs_of(frame, seen(frame))[2] == ("at",)


def test_without_an_input_there_is_nothing_to_learn_from() -> None:
    """Every column was left out."""
    frame = pd.DataFrame({"note": [f"n{i}" for i in range(MAX_LEVELS + 1)]})
    with pytest.raises(StudyError, match="no input column is left"):
        inputs_of(frame, seen(frame))


def test_a_number_with_a_typing_error_is_no_text() -> None:
    """The cell is named; text that happens to hold some numbers is fine."""
    cells = [*map(str, range(11)), "1,5"]
    with pytest.raises(
        StudyError, match=r"'speed' is numeric except for 1 of 12 values, the first '1,5', value number 12"
    ):
        refuse_nearly_numeric(pd.Series(cells, name="speed"))
    refuse_nearly_numeric(pd.Series(["a", "b", "2"], name="label"))


def test_an_infinite_number_is_named_with_its_row() -> None:
    """As the file counts, if it is read in pieces."""
    X = np.array([[0.0, 1.0], [0.0, np.inf], [np.nan, -np.inf]])
    with pytest.raises(StudyError, match=r"'b' holds 2 infinite values, first in row 101"):
        refuse_infinite(X, ["a", "b"], first_row=100)
    refuse_infinite(X[:, :1], ["a"])


def test_a_truth_is_no_number() -> None:
    """Though pandas counts with it."""
    assert is_number(pd.Series([1, 2]))
    assert not is_number(pd.Series([True, False]))
    assert not is_number(pd.Series(["1", "2"]))


def test_many_rows_are_stored_in_32_bits_where_nothing_that_matters_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """An offset that is large beside the spread would be lost."""
    monkeypatch.setattr(_columns, "MANY_ROWS", 50)
    values = np.random.default_rng(0).normal(size=100)
    for offset, kind in ((0.0, np.float32), (10.0, np.float32), (1e6, np.float64)):
        frame = pd.DataFrame({"a": values + offset, "b": values})
        X, _, _, notes = inputs_of(frame, np.ones(100, bool))
        assert X.dtype == kind
        assert any("32 bits" in note for note in notes) == (kind == np.float32)
    monkeypatch.setattr(_columns, "MANY_ROWS", 100)
    assert inputs_of(pd.DataFrame({"a": values}), np.ones(100, bool))[0].dtype == np.float64


def test_two_spellings_of_a_value_are_pointed_out() -> None:
    """They are two inputs, which may be a mistake in the data."""
    frame = pd.DataFrame({"x": 1.0, "alloy": ["AlSi9", "alsi9 ", "AlMg3"] * 10})
    (note,) = inputs_of(frame, seen(frame))[3]
    assert note == "column 'alloy': 'AlSi9' and 'alsi9 ' count as two values, which differ in case or blanks only"
