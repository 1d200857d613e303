"""What a user is told when something is wrong."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.core.errors import CemaiError, MeterError, StudyError, TrialEndedError, TrialError, nearest

words = st.lists(st.text("abcdefgh_", min_size=3, max_size=10), min_size=1, max_size=30, unique=True)


@given(words, st.data())
def test_a_known_word_is_its_own_nearest_in_any_case(known: list[str], data: st.DataObject) -> None:
    """A hint never leads away from what was meant."""
    word = data.draw(st.sampled_from(known))
    assert nearest(word.upper(), known) == f"did you mean {word!r}?"


def test_a_strange_word_gets_the_known_ones_in_order_and_not_too_many() -> None:
    """Twenty words fit on a screen."""
    assert nearest("zzz", ["b", "a"]) == "known: a, b"
    assert nearest("zzz", [f"n{i:02d}" for i in range(21)]).endswith("n18, n19, ...")
    assert nearest("zzz", []) == "nothing is known here"


@pytest.mark.parametrize("kind", [StudyError, TrialError, TrialEndedError, MeterError])
def test_one_class_catches_every_error_of_the_product(kind: type[CemaiError]) -> None:
    """It says what is wrong, and in brackets what to try."""
    with pytest.raises(CemaiError, match=r"^no such file \(give --data\)$"):
        raise kind("no such file", "give --data")
    assert str(kind("no such file")) == "no such file"


def test_an_error_comes_back_whole_from_another_process() -> None:
    """With its message and its hint."""
    back = pickle.loads(pickle.dumps(StudyError("no such file", "give --data")))
    assert (type(back), back.message, back.hint) == (StudyError, "no such file", "give --data")
