"""Columns are taken for target, group and time by name and by shape."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cemai_opt.datasets import is_like_groups, roles_of, tells_apart


def test_roles_are_guessed_by_name_and_shape() -> None:
    """A group is a column in stretches; a time is named so; a target is named so or comes last."""
    frame = pd.DataFrame(
        {"machine": np.repeat(["a", "b", "c"], 4), "timestamp": range(12), "x": np.arange(12.0) ** 2, "rul": range(12)}
    )
    roles = roles_of(frame)
    assert [role.column for role in (roles.target, roles.group, roles.time) if role] == ["rul", "machine", "timestamp"]
    plain = roles_of(frame[["x"]].assign(z=np.arange(12) % 5))
    assert (plain.group, plain.time) == (None, None)
    assert plain.target is not None
    assert plain.target.column == "z"


def test_dates_are_times_whatever_their_name() -> None:
    """As text or as dates."""
    days = pd.date_range("2024-01-01", periods=6)
    for column in (days, days.astype(str)):
        roles = roles_of(pd.DataFrame({"wann": column, "v": [1.0, 5.0, 2.0, 4.0, 3.0, 0.0]}))
        assert roles.time is not None
        assert roles.time.column == "wann"


@pytest.mark.parametrize(
    ("values", "is_group"),
    [
        (np.repeat([3, 1, 2], 4), True),
        (np.repeat([3.0, 1.0, 2.0], 4), True),
        (np.repeat([0.5, 1.5, 2.5], 4), False),
        (np.tile([1, 2, 3], 4), False),
        (np.arange(12), False),
        (np.repeat([1, 2], 6), False),
        (np.array([1.0, 1.0, np.nan, 2.0, 2.0, 3.0, 3.0, 3.0]), False),
        (np.array([]), False),
    ],
)
def test_groups_are_a_few_values_in_one_stretch_each(values: np.ndarray, is_group: bool) -> None:
    """No fractions, no gaps, no row numbers."""
    assert is_like_groups(values) == is_group


def test_a_log_of_several_machines_has_their_names() -> None:
    """In turns, each with a course of its own; a material that explains the target is none."""
    rng = np.random.default_rng(0)
    walks = {name: np.cumsum(rng.normal(size=40)) for name in ("P-1", "P-2", "P-3")}
    log = pd.DataFrame(
        [{"pump": name, "x": rng.normal(), "left": walk[i]} for i in range(40) for name, walk in walks.items()]
    )
    found = roles_of(log).group
    assert found is not None
    assert (found.column, found.why) == ("pump", "has 3 values, within which the target runs on")
    level = {"P-1": 0.0, "P-2": 5.0, "P-3": 10.0}
    shuffled = log.assign(left=log["pump"].map(level) + rng.normal(size=len(log))).sample(frac=1.0, random_state=0)
    assert roles_of(shuffled).group is None


def shops(n_days: int = 30) -> pd.DataFrame:
    """Daily sales of three shops, in the order of days."""
    days = pd.date_range("2026-01-01", periods=n_days).strftime("%Y-%m-%d")
    pairs = [(i, day, shop) for i, day in enumerate(days) for shop in "abc"]
    return pd.DataFrame([{"date": day, "shop": shop, "units": i % 7 + 10 * ord(shop)} for i, day, shop in pairs])


def test_a_date_is_the_time_and_what_tells_its_rows_apart_the_group() -> None:
    """Though all rows of a date are in one stretch."""
    found = roles_of(shops())
    assert found.time is not None
    assert found.group is not None
    assert (found.time.column, found.group.column) == ("date", "shop")
    assert found.group.why == "has 3 values, which tell rows of the same time apart"


def test_a_column_that_does_not_tell_rows_apart_is_no_group() -> None:
    """A kind of product that occurs twice a day; and where each time has one row, there is nothing to tell apart."""
    order = np.repeat(np.arange(40), 3)
    assert tells_apart(np.tile([0, 1, 2], 40), order)
    assert not tells_apart(np.tile([0, 1, 1], 40), order)
    assert not tells_apart(np.arange(120) % 3, np.arange(120))
