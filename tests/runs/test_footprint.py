"""The second number: what was really drawn."""

from __future__ import annotations

from typing import Any

import pytest

from cemai_opt.core.study import CarbonSpec, ResolvedCarbon
from cemai_opt.runs.footprint import Footprint


def footprint(carbon: CarbonSpec | None = None, **changes: Any) -> Footprint:
    """A session of 100 s with 60 J of its own and 300 J idle."""
    asked = carbon or CarbonSpec()
    resolved = ResolvedCarbon.model_validate({**asked.model_dump(), "intensity_g_per_kwh": 400.0})
    fields = {
        "dynamic_j": 60.0,
        "idle_j": 300.0,
        "wall_s": 100.0,
        "intensity_g_per_kwh": 400.0,
        "idle_source": "idle 3 W",
    }
    return Footprint.of(resolved, **{**fields, **changes})


def test_idle_building_and_making_are_in_it() -> None:
    """360 J at 400 g/kWh are 40 mg; twice that with a PUE of 2; a machine of 100 kg over a year adds its 100 s."""
    plain = footprint()
    assert plain.energy_j == 360.0
    assert plain.carbon_g == pytest.approx(0.04)
    assert footprint(CarbonSpec(pue=2.0)).operation_g == pytest.approx(0.08)
    made = footprint(CarbonSpec(embodied_kg=100.0, lifetime_years=1.0))
    assert made.embodied_g == pytest.approx(100_000 * 100 / (365.25 * 86400))
    assert made.carbon_g == pytest.approx(0.04 + made.embodied_g)


def test_an_audit_far_from_one_gets_its_reason() -> None:
    """Near one: the ratio alone. Far: what each side assumed."""
    near = footprint(audit_j=400.0, audit_method="CPU by cpu_load")
    assert near.audit_ratio == pytest.approx(400 / 360)
    assert "because" not in near.audit_line()
    far = footprint(audit_j=3600.0, audit_method="RAM 20 W")
    assert "10.00 times" in far.audit_line()
    assert "RAM 20 W" in far.audit_line()
    assert "idle 3 W" in far.audit_line()
    assert footprint().audit_line() == "audit: none"
    assert "cannot start" in footprint(audit_method="CodeCarbon cannot start: OSError: no").audit_line()
