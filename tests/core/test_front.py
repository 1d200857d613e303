"""Laws of the Pareto front."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.core.front import Box, ParetoFront, Point, dominates, hypervolume_history

points = st.lists(
    st.tuples(st.floats(-2.0, 1.0), st.floats(1e-9, 1e3)).map(lambda pair: Point(0, *pair)), min_size=1, max_size=30
).map(lambda many: [Point(i, p.score, p.carbon_g) for i, p in enumerate(many)])


@given(points)
def test_no_member_dominates_another_and_every_other_point_is_dominated(many: list[Point]) -> None:
    """That is what a Pareto front is."""
    front = ParetoFront.of(many)
    assert not any(dominates(a, b) for a in front for b in front)
    kept = {(p.score, p.carbon_g) for p in front}
    assert all((p.score, p.carbon_g) in kept or any(dominates(m, p) for m in front) for p in many)


@given(points, st.randoms())
def test_the_order_of_points_does_not_matter(many: list[Point], random: object) -> None:
    """Trials may finish in any order."""
    shuffled = many.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' random
    assert ParetoFront.of(shuffled) == ParetoFront.of(many)


@given(points, st.floats(0.0, 1.0), st.floats(1.0, 10.0))
def test_a_dominated_point_changes_nothing(many: list[Point], worse: float, factor: float) -> None:
    """Not the front, its knee, its pick within a tolerance, nor its hypervolume."""
    front, box = ParetoFront.of(many), Box.around(many)
    for member in front:
        more = ParetoFront.of([*many, Point(99, member.score - worse, member.carbon_g * factor)])
        assert more == front
        assert (more.knee, more.within(0.01)) == (front.knee, front.within(0.01))
        assert more.hypervolume(box) == front.hypervolume(box)


@given(points)
def test_contributions_are_what_would_be_lost(many: list[Point]) -> None:
    """The share of each member is the hypervolume with it less that without it."""
    front, box = ParetoFront.of(many), Box.around(many)
    if box.max_log_g == box.min_log_g:
        return
    shares = front.contributions(box)
    for member in front:
        rest = ParetoFront(tuple(p for p in front if p is not member))
        lost = front.hypervolume(box) - rest.hypervolume(box)
        if member.score >= 0.0:
            assert shares[member.trial] == pytest.approx(lost, abs=1e-9)


@given(points)
def test_hypervolume_never_falls_and_stays_between_0_and_1(many: list[Point]) -> None:
    """More trials cannot make a front worse."""
    history = hypervolume_history(many)
    assert len(history) == len(many)
    assert all(a <= b + 1e-12 for a, b in itertools.pairwise(history))
    assert 0.0 <= history[-1] <= 1.0 + 1e-12


def test_hypervolume_by_hand() -> None:
    """An error of 0.1 over the whole width, of 0.01 over half of it; a third of the scale each."""
    front = ParetoFront.of([Point(0, 0.9, 1.0), Point(1, 0.99, 10.0)])
    assert front.hypervolume(Box(0.0, 2.0)) == pytest.approx(1 / 3 + 1 / 3 / 2)
    alone = ParetoFront.of([Point(0, 0.9, 1.0)])
    assert math.isclose(alone.hypervolume(Box.around(alone)), 1 / 3)


def test_a_member_worse_than_a_constant_is_never_picked() -> None:
    """The greenest and the knee are useful members, as long as there is one."""
    front = ParetoFront.of([Point(0, -3.0, 1e-9), Point(1, 0.4, 1.0), Point(2, 0.5, 9.0)])
    assert (front.greenest.trial, front.knee.trial, front.best.trial) == (1, 1, 2)
    assert ParetoFront.of([Point(0, -3.0, 1.0)]).knee.trial == 0


def test_of_equal_trials_the_earliest_stays() -> None:
    """A repeat does not push out what it repeats."""
    assert [p.trial for p in ParetoFront.of([Point(5, 0.5, 1.0), Point(2, 0.5, 1.0)])] == [2]
