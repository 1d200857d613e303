"""What a search may vary, and within which limits."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.core.errors import StudyError
from cemai_opt.core.hyperparameters import Hyperparameter, choice, flag, integer, real

DEPTH = integer("max_depth", 1, high=12, default=6)
RATE = real("learning_rate", 1e-3, high=1.0, default=0.1, log=True)
SCALER = choice("input", ["standard", "robust", "none"], default="standard")


@given(st.one_of(st.integers(), st.floats(), st.booleans(), st.text(max_size=8)))
def test_a_checked_value_is_inside_and_of_its_type(value: bool | int | float | str) -> None:
    """Everything else is an error, for a number as for a choice."""
    for hyperparameter, kind in ((DEPTH, int), (RATE, float), (SCALER, str)):
        if hyperparameter.holds(value):
            checked = hyperparameter.check(value)
            assert type(checked) is kind
            assert checked == value
            assert not isinstance(value, bool)
        else:
            with pytest.raises(StudyError, match=hyperparameter.name):
                hyperparameter.check(value)


def test_a_whole_number_may_be_written_with_a_point() -> None:
    """6.0 is 6; 6.5 is a mistake."""
    assert DEPTH.check(6.0) == 6
    with pytest.raises(StudyError, match="not a whole number"):
        DEPTH.check(6.5)


def test_true_is_not_one() -> None:
    """YAML has both, and they mean different things."""
    assert flag("bias", True).check(False) is False
    assert not flag("bias", True).holds(1)
    assert not choice("order", [0, 1], default=0).holds(True)


def test_a_misspelt_choice_gets_the_nearest_one() -> None:
    """And the name of the hyperparameter."""
    with pytest.raises(StudyError, match=r"input: 'standart' .*did you mean 'standard'"):
        SCALER.check("standart")


@given(st.floats(1e-3, 1.0), st.floats(1e-3, 1.0))
def test_unit_values_keep_the_order_of_values(low: float, high: float) -> None:
    """Between 0 and 1, by decades for a logarithmic range."""
    (one,), (other,) = RATE.unit_values(low), RATE.unit_values(high)
    assert -1e-9 <= one <= 1 + 1e-9
    assert (one <= other) == (low <= high) or math.isclose(one, other)
    assert RATE.unit_values(10**-1.5) == pytest.approx([0.5])


def test_a_choice_is_one_hot_and_an_inactive_one_is_zero() -> None:
    """A choice has no order."""
    assert SCALER.unit_values("robust") == [0.0, 1.0, 0.0]
    assert SCALER.unit_values(None) == [0.0, 0.0, 0.0]
    assert DEPTH.unit_values(None) == [0.0]
    assert integer("n", 3, high=3, default=3).unit_values(3) == [0.0]


@given(st.integers(-3, 16), st.integers(-3, 16))
def test_a_range_only_gets_narrower(low: int, high: int) -> None:
    """The default moves into it; a wider or an empty range is an error."""
    if not 1 <= low <= high <= 12:
        with pytest.raises(StudyError):
            DEPTH.narrowed({"low": low, "high": high})
        return
    narrow = DEPTH.narrowed({"low": low, "high": high})
    assert (narrow.low, narrow.high) == (low, high)
    assert narrow.holds(narrow.default)
    assert type(narrow.default) is int
    assert narrow.searched == (low < high)


def test_one_value_is_fixed_and_no_longer_searched() -> None:
    """By itself or as a list of one."""
    assert (DEPTH.narrowed(3).default, DEPTH.narrowed(3).searched) == (3, False)
    assert (SCALER.narrowed(["none"]).default, SCALER.narrowed(["none"]).searched) == ("none", False)


def test_a_list_keeps_the_default_if_it_can() -> None:
    """Else its first value becomes the default; a value given twice is there once."""
    assert SCALER.narrowed(["none", "standard", "none"]).choices == ("none", "standard")
    assert SCALER.narrowed(["none", "standard"]).default == "standard"
    assert DEPTH.narrowed([2, 4]).default == 2


@pytest.mark.parametrize(
    ("narrow", "said"),
    [
        (lambda: DEPTH.narrowed({"lo": 2}), "did you mean 'low'"),
        (lambda: DEPTH.narrowed([]), "empty list"),
        (lambda: DEPTH.narrowed([2, 99]), "outside 1 to 12"),
        (lambda: DEPTH.narrowed(None), "cannot read None"),
        (lambda: SCALER.narrowed({"low": 1}), "a range for a choice"),
        (lambda: SCALER.narrowed(["all"]), "not one of"),
    ],
)
def test_what_cannot_be_a_narrower_range_is_named(narrow: Callable[[], Hyperparameter], said: str) -> None:
    """Before a search begins."""
    with pytest.raises(StudyError, match=said):
        narrow()
