"""What a study really drew: idle power, building and hardware included; never mixed with the objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cemai_opt.core.spec import CarbonSpec
from cemai_opt.core.units import grams_co2eq

SECONDS_PER_YEAR = 365.25 * 86400
FAR_FROM_1 = 1.5
"""An audit that differs by more than this factor gets its reason told."""


@dataclass(frozen=True)
class Footprint:
    """One session of a study, as if the machine were switched on for it alone.

    `dynamic_j` is what the ledger says, `idle_j` what the machine draws while switched on, `wall_s` how long that was.
    """

    dynamic_j: float
    idle_j: float
    wall_s: float
    intensity_g_per_kwh: float
    """Mean over the session where it is known over time, else the study's one intensity."""
    idle_source: str
    audit_j: float | None = None
    audit_method: str = ""

    @property
    def energy_j(self) -> float:
        """Joules drawn by the machine."""
        return self.dynamic_j + self.idle_j

    def to_json(self, carbon: CarbonSpec) -> dict[str, Any]:
        """Joules and grams; `carbon_g` includes the building (PUE) and the hardware's share of its making."""
        operation_g = grams_co2eq(self.energy_j, self.intensity_g_per_kwh, carbon.pue)
        lifetime_s = carbon.lifetime_years * SECONDS_PER_YEAR
        embodied_g = carbon.embodied_kg * 1000.0 * self.wall_s / lifetime_s
        return {
            "dynamic_j": self.dynamic_j,
            "idle_j": self.idle_j,
            "energy_j": self.energy_j,
            "wall_s": self.wall_s,
            "idle_source": self.idle_source,
            "intensity_g_per_kwh": self.intensity_g_per_kwh,
            "operation_g": operation_g,
            "embodied_g": embodied_g,
            "carbon_g": operation_g + embodied_g,
            "audit_j": self.audit_j,
            "audit_method": self.audit_method,
            "audit_ratio": self.audit_ratio,
        }

    @property
    def audit_ratio(self) -> float | None:
        """CodeCarbon's joules over ours."""
        return self.audit_j / self.energy_j if self.audit_j is not None and self.energy_j > 0 else None

    def audit_line(self) -> str:
        """The audit in one line, with the reason where it is far from 1."""
        ratio = self.audit_ratio
        if ratio is None:
            return "audit: none"
        line = f"audit: CodeCarbon counts {ratio:.2f} times the footprint"
        if 1 / FAR_FROM_1 <= ratio <= FAR_FROM_1:
            return line
        return f"{line}, because it models another machine ({self.audit_method}) than we do ({self.idle_source})"
