"""Joules, kilowatt-hours, and grams that can be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.core.units import J_PER_KWH, grams_co2eq, kwh, readable_grams

FACTORS = {"g": 1.0, "mg": 1e-3, "ug": 1e-6, "ng": 1e-9}


@given(st.floats(1e-12, 1e6))
def test_readable_grams_are_the_grams_to_three_digits(carbon_g: float) -> None:
    """The number times its unit."""
    number, unit = readable_grams(carbon_g).split()
    assert float(number) * FACTORS[unit] == pytest.approx(carbon_g, rel=0.0051)


@pytest.mark.parametrize(
    ("carbon_g", "text"),
    [(1.0, "1 g"), (0.5, "500 mg"), (1e-3, "1 mg"), (2e-6, "2 ug"), (3.4567e-10, "0.346 ng"), (0.0, "0 g")],
)
def test_the_unit_fits_the_size(carbon_g: float, text: str) -> None:
    """No leading zeros above a nanogram."""
    assert readable_grams(carbon_g) == text


def test_rounding_moves_to_the_next_unit() -> None:
    """No exponent where there is a prefix."""
    assert [readable_grams(0.9999), readable_grams(0.9999e-3)] == ["1 g", "1 mg"]


@given(st.floats(0.0, 1e9))
def test_grams_are_kilowatt_hours_times_intensity(energy_j: float) -> None:
    """Whatever the building adds."""
    assert kwh(energy_j) * J_PER_KWH == pytest.approx(energy_j)
    assert grams_co2eq(energy_j, 400.0, pue=1.2) == pytest.approx(kwh(energy_j) * 480.0)
