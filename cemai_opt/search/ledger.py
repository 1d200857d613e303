"""What a search has burned, by the state of the trials, with what was spent between them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cemai_opt.core.result import TrialResult
from cemai_opt.meters import Meter

FINAL = "final"
"""Entry of the front members' last training, with their test scores and explanations."""
CONFIRM = "confirm"
"""Entry of the repeated measurements of front members."""
DRIVER = "driver"
"""Entry of everything that is no trial: reading data, importing libraries, choosing, writing."""


@dataclass
class Ledger:
    """Joules spent in this and earlier sessions of a run."""

    meters: Sequence[Meter]
    start_j: float
    """Reading of all meters together when the session began."""
    earlier_j: Mapping[str, float] = field(default_factory=dict)
    by_entry_j: dict[str, float] = field(default_factory=dict)

    def book(self, result: TrialResult, entry: str | None = None) -> None:
        """Adds what a trial really spent, under its state unless another entry is named."""
        name = entry or result.state
        self.by_entry_j[name] = self.by_entry_j.get(name, 0.0) + result.spent.energy_j

    def spent_j(self) -> dict[str, float]:
        """Joules by entry so far; the driver's entry is what this process drew beside the booked trials."""
        here = {**self.by_entry_j, DRIVER: max(0.0, self.session_j() - math.fsum(self.by_entry_j.values()))}
        return {
            name: self.earlier_j.get(name, 0.0) + here.get(name, 0.0)
            for name in dict.fromkeys([*self.earlier_j, *here])
        }

    def session_j(self) -> float:
        """Joules of this session, trials and driver."""
        return math.fsum(meter.peek_j() for meter in self.meters) - self.start_j

    def total_j(self) -> float:
        """Joules of all entries."""
        return math.fsum(self.spent_j().values())
