"""The ledger: who has spent which joules."""

from __future__ import annotations

from cemai_opt.core.ledger_entry import LedgerEntry, joules_by
from cemai_opt.core.result import PRUNED, TrialResult
from cemai_opt.meters.cpu_time import CpuTime
from cemai_opt.search import CONFIRM, DRIVER, Ledger
from cemai_opt.search.ledger import READ_EVERY_S
from cemai_opt.testing.searches import cost_of, idle_ledger, space_of


def result(spent_j: float, **changes: object) -> TrialResult:
    """A complete ridge that has spent this much."""
    config = space_of().active({"train.model": "ridge"})
    fields = {"trial": 0, "state": "complete", "config": config, "cost": cost_of(1.0), "spent": cost_of(spent_j)}
    return TrialResult(**{**fields, **changes})  # type: ignore[arg-type]  # fields of a result


def test_the_ledger_lists_states_families_and_stages() -> None:
    """Each view adds up to all that the trials have spent."""
    ledger = idle_ledger()
    ledger.book(result(2.0, score=0.5))
    ledger.book(result(0.5, trial=1, state=PRUNED, reason="expensive"))
    spent = ledger.spent()
    assert joules_by("entry", spent) == {"complete": 2.0, PRUNED: 0.5, "driver": 0.0}
    assert joules_by("model", spent) == {"ridge": 2.5}
    assert joules_by("stage", spent) == {"train": 2.5}


def test_the_driver_gets_what_no_trial_has_spent() -> None:
    """Of 10 J since the start a trial used 4: the driver 6; earlier sessions are added, the start is left out."""
    seconds = [5.0]
    meter = CpuTime(clock=lambda: seconds[0], watts=2.0)
    ledger = Ledger([meter], meter.peek_j(), earlier=[LedgerEntry(entry=DRIVER, energy_j=100.0)])
    seconds[0] += 5.0
    ledger.book(result(4.0), CONFIRM)
    assert ledger.session_j() == 10.0
    assert joules_by("entry", ledger.spent()) == {DRIVER: 106.0, CONFIRM: 4.0}
    assert ledger.total_j() == 110.0


def test_other_drivers_are_in_the_total_but_not_in_the_session() -> None:
    """No meter of this driver has measured their trials."""
    ledger = idle_ledger()
    ledger.book_elsewhere(result(3.0))
    ledger.others_j = 2.0
    assert ledger.session_j() == 0.0
    assert ledger.total_j() == 5.0
    assert ledger.own_j() == 3.0
    assert joules_by("entry", ledger.spent()) == {"complete": 3.0, "other drivers": 2.0, DRIVER: 0.0}


def test_meters_are_read_once_between_two_trials() -> None:
    """A budget is asked for often; a trial, the interval and the account of what was spent ask for a new reading."""
    readings, now_s = iter(range(1, 9)), [0.0]
    ledger = Ledger([CpuTime(clock=lambda: next(readings), watts=1.0)], 0.0, clock=lambda: now_s[0])
    assert [ledger.total_j() for _ in range(3)] == [1.0, 1.0, 1.0]
    now_s[0] += READ_EVERY_S
    assert ledger.total_j() == 2.0
    ledger.book(result(0.5))
    assert [ledger.total_j(), ledger.driver_j()] == [3.0, 2.5]
    assert sum(row.energy_j for row in ledger.spent()) == 4.0
