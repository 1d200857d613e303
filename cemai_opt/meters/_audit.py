"""An independent opinion: one CodeCarbon tracker around a whole study, without a network."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from cemai_opt.core.units import J_PER_KWH

SAMPLE_S = 5
ANY_COUNTRY = "USA"
"""CodeCarbon wants a country; only its joules are used."""


@dataclass(frozen=True)
class AuditReading:
    """What CodeCarbon counted for the whole machine, in joules, with how it did so."""

    cpu_j: float
    gpu_j: float
    ram_j: float
    method: str

    @property
    def energy_j(self) -> float:
        """Joules of all devices together."""
        return self.cpu_j + self.gpu_j + self.ram_j


class Audit:
    """CodeCarbon's offline tracker in machine mode, writing no file and asking nobody."""

    def __init__(self) -> None:
        from codecarbon import OfflineEmissionsTracker

        logging.disable(logging.CRITICAL)  # it logs before it reads its own log level
        try:
            self._tracker: Any = OfflineEmissionsTracker(
                country_iso_code=ANY_COUNTRY,
                tracking_mode="machine",
                measure_power_secs=SAMPLE_S,
                save_to_file=False,
                allow_multiple_runs=True,
                log_level="critical",
            )
            self._tracker.start()
        finally:
            logging.disable(logging.NOTSET)

    def stop(self) -> AuditReading | None:
        """What was counted since the start; None where CodeCarbon could not count."""
        self._tracker.stop()
        data = self._tracker.final_emissions_data
        if data is None:
            return None
        parts = [self._described(hardware) for hardware in self._tracker._hardware]
        return AuditReading(
            data.cpu_energy * J_PER_KWH,
            data.gpu_energy * J_PER_KWH,
            data.ram_energy * J_PER_KWH,
            f"{', '.join(parts)}; RAM {data.ram_power:g} W",
        )

    @staticmethod
    def _described(hardware: Any) -> str:
        kind = type(hardware).__name__
        mode, tdp_w = getattr(hardware, "_mode", None), getattr(hardware, "_tdp", None)
        return f"{kind} by {mode}, TDP {tdp_w:g} W" if mode and tdp_w else kind
