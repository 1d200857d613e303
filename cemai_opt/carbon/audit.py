"""An independent audit: one CodeCarbon tracker around a whole study, without network access."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from cemai_opt.core.codecarbon_package import quiet_codecarbon
from cemai_opt.core.units import J_PER_KWH

SAMPLE_S = 5
ANY_COUNTRY = "USA"
"""CodeCarbon requires a country; only its joules are used."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class AuditReading:
    """The joules that CodeCarbon counted for the whole machine, and its method."""

    cpu_j: float
    gpu_j: float
    ram_j: float
    method: str

    @property
    def energy_j(self) -> float:
        """Joules of all devices together."""
        return self.cpu_j + self.gpu_j + self.ram_j


class Audit:
    """CodeCarbon's offline tracker in machine mode; it writes no file and contacts no server.

    Errors in CodeCarbon are logged, and end the audit instead of the run: `stop` then returns None, and `failure` says
    what went wrong.
    """

    def __init__(self) -> None:
        self._tracker: Any = None
        self.failure = ""
        try:
            with quiet_codecarbon():
                from codecarbon import OfflineEmissionsTracker

                self._tracker = OfflineEmissionsTracker(
                    country_iso_code=ANY_COUNTRY,
                    tracking_mode="machine",
                    measure_power_secs=SAMPLE_S,
                    save_to_file=False,
                    allow_multiple_runs=True,
                    log_level="critical",
                )
                self._tracker.start()
        except Exception as error:  # an error in a library must not end a run that does not need it
            self._fail("cannot start", error)
            self._tracker = None

    def stop(self) -> AuditReading | None:
        """The joules since the start; None if CodeCarbon failed."""
        if self._tracker is None:
            return None
        try:
            self._tracker.stop()
            data = self._tracker.final_emissions_data
            return None if data is None else _reading(data, self._tracker)
        except Exception as error:  # as above
            self._fail("cannot be read", error)
            return None

    def _fail(self, what: str, error: Exception) -> None:
        self.failure = f"CodeCarbon {what}: {type(error).__name__}: {error}"
        log.warning("there is no audit: %s", self.failure, exc_info=True)


def _reading(data: Any, tracker: Any) -> AuditReading:
    return AuditReading(
        cpu_j=data.cpu_energy * J_PER_KWH,
        gpu_j=data.gpu_energy * J_PER_KWH,
        ram_j=data.ram_energy * J_PER_KWH,
        method=f"{_method(tracker)}RAM {data.ram_power:g} W",
    )


def _method(tracker: Any) -> str:
    """How CodeCarbon models the hardware, from its own attributes; empty if there are none."""
    parts = [_described(hardware) for hardware in getattr(tracker, "_hardware", ())]
    return f"{', '.join(parts)}; " if parts else ""


def _described(hardware: Any) -> str:
    kind = type(hardware).__name__
    mode, tdp_w = getattr(hardware, "_mode", None), getattr(hardware, "_tdp", None)
    return f"{kind} by {mode}, TDP {tdp_w:g} W" if mode and tdp_w else kind
