"""The footprint of a study, with idle power, building and hardware; kept separate from the objective."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cemai_opt.core.study import ResolvedCarbon
from cemai_opt.core.units import grams_co2eq

SECONDS_PER_YEAR = 365.25 * 86400
G_PER_KG = 1000.0
FAR_FROM_1 = 1.5
"""An audit that differs by more than this factor is reported with an explanation."""


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """The footprint of one session of a study, as if the machine were switched on for it alone.

    `dynamic_j` comes from the ledger, `idle_j` is the idle energy of the machine over `wall_s`. `carbon_g` includes the
    building (PUE) and the embodied share of the hardware.
    """

    dynamic_j: float
    idle_j: float
    energy_j: float
    wall_s: float
    idle_source: str
    intensity_g_per_kwh: float
    """Mean over the session if a time series is known, else the constant intensity of the study."""
    operation_g: float
    embodied_g: float
    carbon_g: float
    audit_j: float | None = None
    """Joules that CodeCarbon counted for the same session."""
    audit_method: str = ""
    """How CodeCarbon models the hardware, or why there is no audit."""
    audit_ratio: float | None = None
    """CodeCarbon's joules divided by `energy_j`."""

    @staticmethod
    def of(
        carbon: ResolvedCarbon,
        *,
        dynamic_j: float,
        idle_j: float,
        wall_s: float,
        intensity_g_per_kwh: float,
        idle_source: str,
        audit_j: float | None = None,
        audit_method: str = "",
    ) -> Footprint:
        """The footprint of a session, from its measurements and the study's description of the machine."""
        energy_j = dynamic_j + idle_j
        operation_g = grams_co2eq(energy_j, intensity_g_per_kwh, pue=carbon.pue)
        embodied_g = carbon.embodied_kg * G_PER_KG * wall_s / (carbon.lifetime_years * SECONDS_PER_YEAR)
        return Footprint(
            dynamic_j=dynamic_j,
            idle_j=idle_j,
            energy_j=energy_j,
            wall_s=wall_s,
            idle_source=idle_source,
            intensity_g_per_kwh=intensity_g_per_kwh,
            operation_g=operation_g,
            embodied_g=embodied_g,
            carbon_g=operation_g + embodied_g,
            audit_j=audit_j,
            audit_method=audit_method,
            audit_ratio=audit_j / energy_j if audit_j is not None and energy_j > 0 else None,
        )

    def audit_line(self) -> str:
        """The audit in one line, with an explanation if the ratio is far from 1."""
        if self.audit_ratio is None:
            return f"audit: none{f' ({self.audit_method})' if self.audit_method else ''}"
        line = f"audit: CodeCarbon counts {self.audit_ratio:.2f} times the footprint"
        if 1 / FAR_FROM_1 <= self.audit_ratio <= FAR_FROM_1:
            return line
        return f"{line}, because it models the machine differently ({self.audit_method}; here: {self.idle_source})"


@dataclass(frozen=True, kw_only=True)
class FootprintTotals:
    """The sum of the footprints of all sessions of a run."""

    dynamic_j: float
    idle_j: float
    energy_j: float
    wall_s: float
    operation_g: float
    embodied_g: float
    carbon_g: float
    sessions: tuple[Footprint, ...] = ()

    @staticmethod
    def of(sessions: Sequence[Footprint]) -> FootprintTotals:
        """The sums over sessions."""
        return FootprintTotals(
            dynamic_j=math.fsum(session.dynamic_j for session in sessions),
            idle_j=math.fsum(session.idle_j for session in sessions),
            energy_j=math.fsum(session.energy_j for session in sessions),
            wall_s=math.fsum(session.wall_s for session in sessions),
            operation_g=math.fsum(session.operation_g for session in sessions),
            embodied_g=math.fsum(session.embodied_g for session in sessions),
            carbon_g=math.fsum(session.carbon_g for session in sessions),
            sessions=tuple(sessions),
        )
