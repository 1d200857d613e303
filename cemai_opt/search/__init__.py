"""Which trials to run: the initial design, the samplers, the loop, the ledger."""

from cemai_opt.search.averaging import Averaging
from cemai_opt.search.budget import Budget
from cemai_opt.search.context import SearchContext
from cemai_opt.search.events import Events, SearchState
from cemai_opt.search.initial_design import baseline_of, bounded_of, untuned_of
from cemai_opt.search.ledger import AVERAGE, CONFIRM, DRIVER, FINAL, LOST, OTHERS, Ledger, entries_of
from cemai_opt.search.loop import INTERRUPTED, Search, outcome_of
from cemai_opt.search.member_log import MemberLog
from cemai_opt.search.race import contenders
from cemai_opt.search.remeasurement import Remeasurement

__all__ = [
    "AVERAGE",
    "CONFIRM",
    "DRIVER",
    "FINAL",
    "INTERRUPTED",
    "LOST",
    "OTHERS",
    "Averaging",
    "Budget",
    "Events",
    "Ledger",
    "MemberLog",
    "Remeasurement",
    "Search",
    "SearchContext",
    "SearchState",
    "baseline_of",
    "bounded_of",
    "contenders",
    "entries_of",
    "outcome_of",
    "untuned_of",
]
