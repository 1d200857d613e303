"""Joules that were spent, by entry, model and stage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """One row of a ledger. `model` and `stage` are empty for energy spent outside trials."""

    entry: str
    """State of the trial ("complete", "pruned", "failed"), or "confirm", "final", "average", "driver"."""
    model: str = ""
    stage: str = ""
    energy_j: float


def merged(entries: Iterable[LedgerEntry]) -> tuple[LedgerEntry, ...]:
    """One row for each combination of entry, model and stage."""
    sums: dict[tuple[str, str, str], float] = {}
    for row in entries:
        key = row.entry, row.model, row.stage
        sums[key] = sums.get(key, 0.0) + row.energy_j
    return tuple(
        LedgerEntry(entry=entry, model=model, stage=stage, energy_j=energy_j)
        for (entry, model, stage), energy_j in sums.items()
    )


def joules_by(key: str, entries: Iterable[LedgerEntry]) -> dict[str, float]:
    """Joules by "entry", "model" or "stage"; rows without a model or stage are left out there.

    >>> ridge = LedgerEntry(entry="complete", model="ridge", stage="train", energy_j=2.0)
    >>> joules_by("model", [ridge, LedgerEntry(entry="driver", energy_j=5.0)])
    {'ridge': 2.0}
    """
    sums: dict[str, float] = {}
    for row in entries:
        name = str(getattr(row, key))
        if name:
            sums[name] = sums.get(name, 0.0) + row.energy_j
    return sums
