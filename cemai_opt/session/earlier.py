"""Reads what earlier sessions of a run wrote to its folder, from which the run is resumed."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import optuna
from optuna.trial import TrialState

from cemai_opt.compose import PreparedStudy
from cemai_opt.core.errors import StudyError
from cemai_opt.core.ledger_entry import LedgerEntry
from cemai_opt.core.result import TrialResult
from cemai_opt.core.serialization import to_json
from cemai_opt.core.space import LockedSpace
from cemai_opt.runs import RunFolder
from cemai_opt.runs.footprint import Footprint
from cemai_opt.runs.run_folder import TRIALS
from cemai_opt.search import DRIVER, INTERRUPTED, LOST, OTHERS, MemberLog, entries_of
from cemai_opt.search.samplers import PARENT

ROUNDING_J = 1e-6
"""Joules that sums in another order may differ by."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class EarlierSessions:
    """Results, ledger and footprints of earlier sessions, and their confirmed and tested front members."""

    results: Sequence[TrialResult]
    ledger: Sequence[LedgerEntry]
    footprints: Sequence[Footprint]
    members: MemberLog


def was_finished(folder: RunFolder, *, confirm: int) -> bool:
    """Whether an earlier session has measured and tested the front, as often as is asked for now."""
    if not folder.holds_a_run or folder.study().search.confirm != confirm:
        return False
    summary = folder.known_summary()
    return summary is not None and summary.ended != INTERRUPTED and bool(folder.members().tested)


def in_space_of_run(prepared: PreparedStudy, folder: RunFolder) -> PreparedStudy:
    """The study with the search space of the run's first session: what a later version added is not searched.

    StudyError if the space of the run allows something that the present one does not, or if the search space file has
    changed.
    """
    if not folder.holds_a_run:
        return prepared
    before = folder.space()
    if to_json(replace(before, data_digest="")) == to_json(prepared.space.locked("")):
        return prepared
    changed = f"the search space has changed since the run in {folder.path}"
    if not _is_as_wished(prepared, before):
        raise StudyError(changed, "choose another --out")
    try:
        space = prepared.space.within(before)
    except StudyError as error:
        raise StudyError(f"{changed}: {error.message}", "choose another --out") from error
    log.info("the search space has grown since this run began; the run goes on in its own")
    return replace(prepared, space=space)


def _is_as_wished(prepared: PreparedStudy, before: LockedSpace) -> bool:
    """Whether the run had every model and every range that the search space file names."""
    spec, now = prepared.space_spec, to_json(prepared.space.locked(""))["genes"]
    then = to_json(before)["genes"]
    same = all(
        now[name] == then[name] if name in then else not prepared.space.hyperparameters[name].searched
        for name in spec.hyperparameters
    )
    return same and set(spec.models or ()) <= set(before.models)


def earlier_sessions(prepared: PreparedStudy, folder: RunFolder) -> EarlierSessions:
    """The earlier sessions of a run. StudyError if they used other data."""
    kept = folder.members()

    def keep(members: MemberLog) -> None:
        folder.keep_members(members.measured, members.tested, average=members.average)

    members = MemberLog(kept.confirmed, kept.tested, average=kept.average, on_change=keep)
    if not folder.holds_a_run:
        return EarlierSessions(results=(), ledger=(), footprints=(), members=members)
    if folder.space().data_digest != prepared.data.digest:
        raise StudyError(f"the data has changed since the run in {folder.path}", "choose another --out")
    results = folder.results()
    return EarlierSessions(
        results=results,
        ledger=_earlier_ledger(folder, results),
        footprints=summary.footprint.sessions if (summary := folder.known_summary()) is not None else (),
        members=members,
    )


def check_same_trials(
    folder: RunFolder, optuna_study: optuna.Study, *, finished: Collection[int], is_shared: bool
) -> None:
    """StudyError if `trials.jsonl` or the storage lacks finished trials that the other has.

    A result is written to the file first. Other drivers of a shared storage write to files of their own, and candidates
    from learning curves follow from their parents.
    """
    trials = optuna_study.get_trials(deepcopy=False)
    if finished and max(finished) >= len(trials):
        raise StudyError(f"{folder.path}: the storage has fewer trials than {TRIALS}", "choose another --out")
    done = [t for t in trials if t.state is TrialState.COMPLETE and PARENT not in t.user_attrs]
    lost = [trial.number for trial in done if trial.number not in finished]
    if lost and not is_shared:
        raise StudyError(
            f"{folder.path / TRIALS} has lost {len(lost)} finished trials, such as trial {lost[0]}",
            "restore the file, or choose another --out",
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
    lost = [LedgerEntry(entry=LOST, energy_j=rest_j - driver_j)] if rest_j > driver_j + ROUNDING_J else []
    return [*known, *lost, LedgerEntry(entry=DRIVER, energy_j=min(driver_j, rest_j) if rest_j > 0.0 else driver_j)]
