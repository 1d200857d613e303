"""What a search has burned: by the state of its trials, by family, by stage, with what was spent between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cemai_opt.core.result import TrialResult
from cemai_opt.core.spending import Spending, added_up
from cemai_opt.meters import Meter

FINAL = "final"
"""Entry of the front members' last training, with their test scores and explanations."""
CONFIRM = "confirm"
"""Entry of the repeated measurements of front members."""
DRIVER = "driver"
"""Entry of everything that is no trial: reading data, importing libraries, choosing, writing."""

OTHERS = "other drivers"
"""Entry of what other drivers of the same study have spent beside their trials."""
LOST = "lost"
"""Entry of what earlier sessions had spent, when they were killed, on what they had not finished."""


@dataclass
class Ledger:
    """Joules spent in this and earlier sessions of a run."""

    meters: Sequence[Meter]
    start_j: float
    """Reading of all meters together when the session began."""
    earlier: Sequence[Spending] = ()
    """What earlier sessions have spent."""
    booked: dict[tuple[str, str, str], float] = field(default_factory=dict)
    elsewhere: list[Spending] = field(default_factory=list)
    """What other drivers of the same study have spent on trials in the meantime."""
    others_j: float = 0.0
    """What those drivers have spent beside their trials, ever."""
    unseen_j: Callable[[], float] = lambda: 0.0
    """Joules that this session has spent where its own meters do not reach."""

    def book(self, result: TrialResult, entry: str | None = None) -> None:
        """Adds what a trial really spent, under its state unless another entry is named."""
        for spending in spending_of(result, entry):
            key = spending.entry, spending.model, spending.stage
            self.booked[key] = self.booked.get(key, 0.0) + spending.energy_j

    def book_elsewhere(self, result: TrialResult) -> None:
        """Adds a trial of another driver, which no meter of this one has seen."""
        self.elsewhere += spending_of(result)

    def spent(self) -> tuple[Spending, ...]:
        """Joules so far; the driver's entry is what this process drew beside the booked trials."""
        driver_j = max(0.0, self.session_j() - math.fsum(self.booked.values()))
        here = [Spending(*key, energy_j) for key, energy_j in self.booked.items()]
        others = [*self.elsewhere, Spending(OTHERS, "", "", self.others_j)] if self.others_j else self.elsewhere
        return added_up([*self.earlier, *here, *others, Spending(DRIVER, "", "", driver_j)])

    def driver_j(self) -> float:
        """Joules of the driver alone."""
        return math.fsum(spending.energy_j for spending in self.spent() if spending.entry == DRIVER)

    def session_j(self) -> float:
        """Joules of this session, trials and driver."""
        return math.fsum(meter.peek_j() for meter in self.meters) - self.start_j + self.unseen_j()

    def total_j(self) -> float:
        """Joules of all entries."""
        earlier_j = math.fsum(spending.energy_j for spending in (*self.earlier, *self.elsewhere)) + self.others_j
        return earlier_j + max(self.session_j(), math.fsum(self.booked.values()))


def spending_of(result: TrialResult, entry: str | None = None) -> list[Spending]:
    """What one trial spent, stage by stage."""
    return [Spending(entry or result.state, result.model, row.stage, row.total_j) for row in result.spent.rows]
