"""Joules that were really spent, and on what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Spending:
    """One row of a ledger. `model` and `stage` are empty for what is no trial."""

    entry: str
    """State of the trial ("complete", "pruned", "failed"), or "confirm", "final", "driver"."""
    model: str
    stage: str
    energy_j: float


def added_up(spendings: Iterable[Spending]) -> tuple[Spending, ...]:
    """One row for each entry, model and stage."""
    sums: dict[tuple[str, str, str], float] = {}
    for s in spendings:
        sums[s.entry, s.model, s.stage] = sums.get((s.entry, s.model, s.stage), 0.0) + s.energy_j
    return tuple(Spending(*key, energy_j) for key, energy_j in sums.items())


def joules_by(key: str, spendings: Iterable[Spending]) -> dict[str, float]:
    """Joules by "entry", "model" or "stage"; what belongs to no model or stage is left out there.

    >>> joules_by("model", [Spending("complete", "ridge", "train", 2.0), Spending("driver", "", "", 5.0)])
    {'ridge': 2.0}
    """
    sums: dict[str, float] = {}
    for spending in spendings:
        name = str(getattr(spending, key))
        if name:
            sums[name] = sums.get(name, 0.0) + spending.energy_j
    return sums
