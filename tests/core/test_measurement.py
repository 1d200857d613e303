"""Costs add up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.core.measurement import Cost, JsonCost, Measurement, mean_of, sum_of
from cemai_opt.core.serialization import from_json, to_json
from cemai_opt.core.units import grams_co2eq

joules = st.floats(0.0, 1e6)
rows = st.builds(
    Measurement,
    stage=st.sampled_from(["clean", "train", "overhead"]),
    duration_s=joules,
    cpu_s=joules,
    energy_j=st.fixed_dictionaries({"cpu": joules, "gpu0": joules}),
    uncertainty_j=joules,
    source=st.just("test"),
)
costs = st.lists(
    st.lists(rows, min_size=1, max_size=4, unique_by=lambda r: r.stage).map(lambda r: Cost(tuple(r))),
    min_size=1,
    max_size=4,
)


@given(costs)
def test_a_sum_costs_what_its_parts_cost(many: list[Cost]) -> None:
    """Nothing is lost between rows, devices and runs; the mean is the sum shared out."""
    assert sum_of(many).energy_j == pytest.approx(sum(cost.energy_j for cost in many))
    assert mean_of(many).energy_j * len(many) == pytest.approx(sum_of(many).energy_j)


@given(costs)
def test_a_cost_travels_as_json(many: list[Cost]) -> None:
    """What comes back is what was sent."""
    assert from_json(JsonCost, to_json(many[0].rows)) == many[0]


@given(joules, st.floats(1.0, 1000.0), st.floats(1.0, 3.0))
def test_grams_are_linear(energy_j: float, intensity: float, pue: float) -> None:
    """Twice the joules, the intensity or the PUE: twice the grams."""
    grams = grams_co2eq(energy_j, intensity, pue=pue)
    assert grams_co2eq(2 * energy_j, intensity, pue=pue) == pytest.approx(2 * grams)
    assert grams_co2eq(energy_j, 2 * intensity, pue=pue) == pytest.approx(2 * grams)
    assert grams_co2eq(energy_j, intensity, pue=2 * pue) == pytest.approx(2 * grams)
