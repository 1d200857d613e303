"""The summary of a run: what it spent, on what, where and with which libraries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cemai_opt.core.ledger_entry import LedgerEntry
from cemai_opt.runs.footprint import FootprintTotals
from cemai_opt.runs.front import TrialCounts
from cemai_opt.runs.machine import Machine
from cemai_opt.runs.payback import Payback


@dataclass(frozen=True, kw_only=True)
class CarbonBy:
    """Grams by kind of ledger entry, by model and by stage."""

    entry: Mapping[str, float]
    model: Mapping[str, float]
    stage: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class HypervolumePoint:
    """The hypervolume of the front after a trial."""

    trial: int
    hypervolume: float


@dataclass(frozen=True, kw_only=True)
class SearchSummary(TrialCounts):
    """What a search spent, on what, and its hypervolume."""

    energy_j: float
    carbon_g: float
    carbon_g_by: CarbonBy
    payback: tuple[Payback, ...]
    ledger: tuple[LedgerEntry, ...]
    hypervolume: float
    hypervolume_history: tuple[HypervolumePoint, ...]


@dataclass(frozen=True, kw_only=True)
class MeasuringConditions:
    """The sources of the joules, and their conversion to grams."""

    intensity_g_per_kwh: float
    pue: float
    sources: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """The contents of `summary.json`."""

    study: str
    ended: str
    notes: tuple[str, ...]
    search: SearchSummary
    carbon: MeasuringConditions
    footprint: FootprintTotals
    machine: Machine
    versions: Mapping[str, str] = field(default_factory=dict)
