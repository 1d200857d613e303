"""When a search has paid for itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.runs.payback import PER_READING, Payback, joined_savings, payback_lines

grams = st.floats(-1e3, 1e3).filter(lambda g: g == 0.0 or abs(g) > 1e-6)


def payback(retraining_g: float, predictions_g: float | None = None, *, search_g: float = 10.0) -> Payback:
    """The payback of the knee, trial 1, compared with trial 2."""
    return Payback.of(
        "knee",
        trial=1,
        instead_of=2,
        score_given_up=0.05,
        per_retraining_g=retraining_g,
        per_1000_predictions_g=predictions_g,
        search_g=search_g,
    )


@given(grams, st.none() | grams, st.floats(1e-6, 1e3))
def test_the_search_is_paid_back_by_either_alone_and_not_before(
    retraining_g: float, predictions_g: float | None, search_g: float
) -> None:
    """What saves nothing never pays it back."""
    found = payback(retraining_g, predictions_g, search_g=search_g)
    for times, saved_g, unit in (
        (found.retrainings, retraining_g, 1),
        (found.predictions, predictions_g, PER_READING),
    ):
        if saved_g is None or saved_g <= 0.0:
            assert times is None
        else:
            assert times is not None
            assert times / unit * saved_g >= search_g * (1 - 1e-9)
            assert (times / unit - 1) * saved_g < search_g * (1 + 1e-9)


def test_a_greener_choice_is_one_sentence() -> None:
    """What it gives up, what it saves, and when the search is paid back."""
    assert payback_lines([payback(4.0, 0.002)], 10.0, tolerance=0.01) == [
        "the knee (trial 1) instead of the best (trial 2) gives up 0.050 and saves 4 g per retraining and 2 mg per "
        "1,000 predictions; the search (10 g) is paid back after 3 retrainings or 5,000,000 predictions"
    ]


def test_a_choice_that_costs_more_says_so() -> None:
    """And promises no payback."""
    (line,) = payback_lines([payback(-4.0)], 10.0, tolerance=0.01)
    assert line.endswith("gives up 0.050 and costs 4 g more per retraining")


def test_the_best_itself_leaves_nothing_to_choose() -> None:
    """The greenest within the tolerance is named with it."""
    same = Payback.of(
        "within",
        trial=2,
        instead_of=2,
        score_given_up=0.0,
        per_retraining_g=0.0,
        per_1000_predictions_g=None,
        search_g=1.0,
    )
    assert payback_lines([same], 1.0, tolerance=0.02) == []


@pytest.mark.parametrize(
    ("saved", "phrase"),
    [
        (["saves 1 g per retraining", "saves 2 g per day"], "saves 1 g per retraining and 2 g per day"),
        (["costs 1 g more", "saves 2 g"], "costs 1 g more and saves 2 g"),
        (["saves 1 g", "costs 2 g more"], "saves 1 g and costs 2 g more"),
        (["saves 1 g"], "saves 1 g"),
    ],
)
def test_two_savings_are_one_sentence(saved: list[str], phrase: str) -> None:
    """And a loss is named as one."""
    assert joined_savings(saved) == phrase
