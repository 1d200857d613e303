"""Numbers in text are what was written, or an error: never another number, never dropped."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cemai_opt.core.errors import StudyError
from cemai_opt.datasets._number_text import (
    NumberStyle,
    StyleSearch,
    numbers_of_text,
    refuse_disguised,
    truths_of_text,
)

COMMA, GROUPED = NumberStyle(decimal=","), NumberStyle(thousands=",")


def style_of(**columns: list[str | None]) -> NumberStyle:
    """The style of the numbers in some columns."""
    search = StyleSearch(())
    search.add(pa.table({name: pa.array(cells, pa.string()) for name, cells in columns.items()}))
    return search.style("a.csv")


def numbers(cells: list[str | None], style: NumberStyle | None = None) -> list[object] | None:
    """The numbers in a column."""
    found, _ = numbers_of_text(pa.chunked_array([pa.array(cells, pa.string())]), style or NumberStyle())
    return None if found is None else found.to_pylist()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_every_float_comes_back(values: list[float]) -> None:
    """To the last digit, with a point or with a comma."""
    assert numbers([repr(value) for value in values]) == values
    assert numbers([repr(value).replace(".", ",") for value in values], COMMA) == values


def test_whole_numbers_keep_their_digits() -> None:
    """Above 2^53 as well; those beyond 64 bits are floats."""
    assert numbers([str(2**53 + 1), "-7"]) == [2**53 + 1, -7]
    assert numbers([str(2**70)]) == [float(2**70)]
    assert numbers([" 1 ", "+2", ".5", "5.", "1e3"]) == [1.0, 2.0, 0.5, 5.0, 1000.0]
    assert numbers([None, None]) == [None, None]


def test_one_style_for_the_whole_file() -> None:
    """One value that can be read in one way only decides for all others."""
    assert style_of(a=["1.5", "2"], b=["x,y", "1,5"]) == NumberStyle()  # words
    assert style_of(a=["1,5", "2"], b=["1,234", None]) == COMMA
    assert style_of(a=["1,234.5"], b=["1,234"]) == GROUPED
    assert style_of(a=["1,234,567"]) == GROUPED
    assert numbers(["1,234", "2"], COMMA) == [1.234, 2.0]
    assert numbers(["1,234.5", "12"], GROUPED) == [1234.5, 12.0]
    assert numbers(["12,34"], GROUPED) is None
    assert numbers(["1.234,5"], NumberStyle(decimal=",", thousands=".")) == [1234.5]
    assert numbers(["1 234", "1\u202f234"], NumberStyle(thousands=" ")) == [1234, 1234]
    assert numbers(["1\u2019234.5"], NumberStyle(thousands="'")) == [1234.5]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"a": ["1,234", "5"]}, "may have a decimal comma or a separator of thousands"),
        ({"a": ["1,5"], "b": ["1,234,567"]}, "decimal in '1,5' in column 'a', but not in '1,234,567' in column 'b'"),
        ({"a": ["1,5"], "b": ["2.5"]}, "decimal in '1,5' in column 'a', but not in '2.5' in column 'b'"),
    ],
)
def test_two_readings_are_an_error_that_names_the_option(columns: dict[str, list[str | None]], says: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(StudyError, match=rf"{says}.*--decimal"):
        style_of(**columns)


def test_words_for_a_missing_value_are_said() -> None:
    """In a column of numbers; in a column of words they are words."""
    column = pa.chunked_array([pa.array(["1", "NA", "n/a", None, "NA"])])
    found, words = numbers_of_text(column, NumberStyle())
    assert found is not None
    assert found.to_pylist() == [1, None, None, None, None]
    assert words == {"NA": 2, "n/a": 1}
    assert numbers(["NA", "None"]) is None
    assert numbers(["NA", "steel", "1"]) is None
    assert math.isnan(numbers_of_text(pa.chunked_array([["1.5", "nan"]]), NumberStyle())[0].to_numpy()[1])  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["1'234", "12"], "digits in groups"),
        (["1 234,5"], "digits in groups"),
        (["1.234.567"], "points between thousands"),
        (["1D5", "2"], "exponents with D"),
        (["1,5", "2.5"], "decimal commas"),
        (["12 %", "3%"], "percentages"),
        (["€ 3.50", "2"], "amounts of money"),
        (["$1,234.00"], "amounts of money"),
        (["12.5 mm", "13 mm"], "the unit 'mm'"),
        (["٣", "٤"], "digits of another script"),
    ],
)
def test_numbers_in_disguise_are_refused_by_name(cells: list[str], says: str) -> None:
    """They would be a class each, or be left out."""
    with pytest.raises(StudyError, match=rf"column 'x' holds numbers with {says}.*--keep-text x"):
        refuse_disguised("x", pa.chunked_array([cells]), style=NumberStyle())


@pytest.mark.parametrize(
    "cells", [["M01", "M02"], ["3a", "4b"], ["2026-01-31"], ["1.2.3"], ["steel"], ["12:30"], ["NA"]]
)
def test_other_text_is_text(cells: list[str]) -> None:
    """Codes, dates, versions, words."""
    refuse_disguised("x", pa.chunked_array([cells]), style=NumberStyle())


def test_a_number_with_a_typing_error_is_no_text() -> None:
    """The cell is named, whatever the decimal separator; text that happens to hold some numbers is fine."""
    numbers = [f"{i}.5" for i in range(12)]
    for cells, style in ((numbers, NumberStyle()), ([number.replace(".", ",") for number in numbers], COMMA)):
        with pytest.raises(StudyError, match="is numeric except for 1 of 13 values, the first 'about 2' in row 12"):
            refuse_disguised("x", pa.chunked_array([[*cells, "about 2"]]), style=style)
    for cells in (["a", "b", "2"], ["0", "1", "2", "ok"] * 20):
        refuse_disguised("x", pa.chunked_array([cells]), style=NumberStyle())


def test_truths_are_truths() -> None:
    """In any case; not with a gap, for which there is no third value."""
    found = truths_of_text(pa.chunked_array([["True", "false", "TRUE"]]))
    assert found is not None
    assert found.to_pylist() == [True, False, True]
    for cells in (["true", None], ["true", "yes"], []):
        assert truths_of_text(pa.chunked_array([pa.array(cells, pa.string())])) is None
