"""When a trial should end, on hand-made curves."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.core.pruning_bounds import PruningBounds
from cemai_opt.core.serialization import from_json, to_json

FRONT = ((1.0, 0.5), (4.0, 0.8))


def test_limits_travel_as_json() -> None:
    """What is not bounded comes back as not bounded."""
    bounds = PruningBounds(front=FRONT, cap_j=3.0, loss_factors=((0.0, 0.2),), fold_ratio=0.5, spend_s=7.0)
    assert from_json(PruningBounds, to_json(bounds)) == bounds
    assert from_json(PruningBounds, to_json(PruningBounds())).spend_j == math.inf


def test_nothing_is_dominated_by_an_empty_front() -> None:
    """The first trials of a search are never ended by comparison."""
    assert not PruningBounds().is_dominated(1e9, -1e9)


@given(st.floats(0.0, 10.0), st.floats(-1.0, 1.0))
def test_a_member_must_be_cheaper_and_better_to_dominate(cost_j: float, score: float) -> None:
    """More expensive members say nothing of a cheaper trial, nor worse ones of a better trial."""
    expected = any(j <= cost_j and s >= score for j, s in FRONT)
    assert PruningBounds(front=FRONT).is_dominated(cost_j, score) == expected


def test_without_earlier_curves_anything_can_still_happen() -> None:
    """One flat start is no evidence."""
    assert PruningBounds().best_ahead(0.1, -0.5, momentum=1.0) == 1.0


def test_a_late_bloomer_has_a_future_where_one_was_seen_before() -> None:
    """An earlier curve lost nine tenths of its loss after half of its rounds: so may this one, flat as it is now."""
    known = PruningBounds(loss_factors=((0.0, 0.1), (0.5, 0.1)))
    assert known.best_ahead(0.5, 0.0, momentum=1.0) == pytest.approx(0.9)


def test_a_curve_that_is_falling_fast_has_a_future_of_its_own() -> None:
    """Even where earlier curves of its family stayed flat."""
    flat = PruningBounds(loss_factors=((0.0, 0.95),))
    assert flat.best_ahead(0.1, 0.0, momentum=0.05) == pytest.approx(0.95)
    assert flat.best_ahead(0.1, 0.0, momentum=1.0) == pytest.approx(0.05)


@given(st.floats(0.0, 1.0), st.floats(-2.0, 1.0), st.floats(0.0, 1.0))
def test_the_future_is_never_worse_than_now(share: float, score: float, momentum: float) -> None:
    """An optimistic bound."""
    assert (
        PruningBounds(loss_factors=((0.0, 0.3), (0.5, 0.9))).best_ahead(share, score, momentum=momentum)
        >= score - 1e-12
    )


def test_budgets_name_themselves() -> None:
    """The reason says which one is used up."""
    bounds = PruningBounds(spend_j=2.0, spend_s=5.0, cap_j=1.0)
    assert bounds.why_overspent(1.0, 1.0) is None
    assert "grams" in str(bounds.why_overspent(2.0, 1.0))
    assert "time" in str(bounds.why_overspent(1.0, 5.0))
    assert bounds.why_too_expensive(1.0) is None
    assert "the cap for now" in str(bounds.why_too_expensive(1.1))
