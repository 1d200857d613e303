"""Errors by unit, their level and its uncertainty."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cemai_opt.deploy.unit_errors import UnitErrors, units_of


@pytest.mark.parametrize(
    ("score", "is_classification", "mean"), [("r2", False, 2.5), ("mae", False, 1.5), ("f1", True, 1.0)]
)
def test_the_loss_follows_the_score(score: str, is_classification: bool, mean: float) -> None:
    """Squared, absolute, wrong or right."""
    y, value = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 4.0, 2.0, 2.0])
    errors = UnitErrors.of(y, value, score=score, is_classification=is_classification, unit=np.array([5, 5, 7, 7]))
    assert errors.mean == mean
    assert errors.rows == (2, 2)
    assert (errors + errors).mean == mean


def test_the_standard_error_is_that_of_draws_of_units() -> None:
    """Within a tenth of the scatter of means over 3,000 samples of units of unequal sizes."""
    rng = np.random.default_rng(0)
    means, stated = [], []
    for _ in range(3000):
        rows = rng.integers(5, 50, 30)
        sums = rows * rng.normal(1.0, 0.3, 30)
        errors = UnitErrors(loss="squared", sums=tuple(sums), rows=tuple(int(n) for n in rows))
        means.append(errors.mean)
        stated.append(errors.standard_error)
    assert np.mean(stated) == pytest.approx(np.std(means), rel=0.1)


def test_a_single_unit_has_no_standard_error_and_rows_without_groups_have_blocks() -> None:
    """Eight of them, in time order."""
    assert UnitErrors(loss="squared", sums=(1.0,), rows=(3,)).standard_error == math.inf
    assert np.bincount(units_of(np.zeros(80, int), has_groups=False)).tolist() == [10] * 8
    assert units_of(np.array([3, 3, 9]), has_groups=True).tolist() == [3, 3, 9]
