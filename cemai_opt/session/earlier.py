"""Reads what earlier sessions of a run wrote to its folder, from which the run is resumed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cemai_opt.compose import PreparedStudy
from cemai_opt.core.errors import StudyError
from cemai_opt.core.ledger_entry import LedgerEntry
from cemai_opt.core.result import TrialResult
from cemai_opt.core.serialization import to_json
from cemai_opt.runs import RunFolder
from cemai_opt.runs.footprint import Footprint
from cemai_opt.search import DRIVER, LOST, OTHERS, MemberLog, entries_of


@dataclass(frozen=True, kw_only=True)
class EarlierSessions:
    """Results, ledger and footprints of earlier sessions, and their remeasured and tested front members."""

    results: Sequence[TrialResult]
    ledger: Sequence[LedgerEntry]
    footprints: Sequence[Footprint]
    members: MemberLog


def earlier_sessions(prepared: PreparedStudy, folder: RunFolder) -> EarlierSessions:
    """The earlier sessions of a run. StudyError if they used other data or another search space."""
    kept = folder.members()

    def keep(members: MemberLog) -> None:
        folder.keep_members(members.measured, members.tested)

    members = MemberLog(kept.confirmed, kept.tested, on_change=keep)
    if not folder.holds_a_run:
        return EarlierSessions(results=(), ledger=(), footprints=(), members=members)
    before, now = folder.space(), prepared.locked_space
    if before.data_digest != now.data_digest:
        raise StudyError(f"the data has changed since the run in {folder.path}", "choose another --out")
    if to_json(before) != to_json(now):
        raise StudyError(f"the search space has changed since the run in {folder.path}", "choose another --out")
    results = folder.results()
    return EarlierSessions(
        results=[members.measured.get(result.trial, result) for result in results],
        ledger=_earlier_ledger(folder, results),
        footprints=folder.summary().footprint.sessions if folder.has_summary() else (),
        members=members,
    )


def _earlier_ledger(folder: RunFolder, results: Sequence[TrialResult]) -> list[LedgerEntry]:
    """Joules of earlier sessions; those of trials are taken from the trials themselves, which are always up to date.

    What a killed session spent after its last write is computed from the last total that it recorded.
    """
    written = folder.ledger()
    recomputed = {*(result.state for result in results), DRIVER, OTHERS}
    known = [row for row in written if row.entry not in recomputed]
    known += [row for result in results for row in entries_of(result)]
    driver_j = sum(row.energy_j for row in written if row.entry == DRIVER)
    driver_j = max(driver_j, folder.last_driver_j())
    rest_j = folder.last_spent_j() - math.fsum(row.energy_j for row in known)
    lost = [LedgerEntry(entry=LOST, energy_j=rest_j - driver_j)] if rest_j > driver_j else []
    return [*known, *lost, LedgerEntry(entry=DRIVER, energy_j=min(driver_j, rest_j) if rest_j > 0.0 else driver_j)]
