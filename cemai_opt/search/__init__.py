"""Which trials to run: the initial design, the samplers, the loop, the ledger."""

from cemai_opt.search.allowance import Allowance
from cemai_opt.search.confirm import Confirmation
from cemai_opt.search.database import open_database, without_password
from cemai_opt.search.design import baseline_of
from cemai_opt.search.exchange import Exchange, driver_of
from cemai_opt.search.ledger import CONFIRM, DRIVER, FINAL, LOST, OTHERS, Ledger, spending_of
from cemai_opt.search.loop import INTERRUPTED, Search, SearchState, outcome_of
from cemai_opt.search.storage import open_study, read_journal

__all__ = [
    "CONFIRM",
    "DRIVER",
    "FINAL",
    "INTERRUPTED",
    "LOST",
    "OTHERS",
    "Allowance",
    "Confirmation",
    "Exchange",
    "Ledger",
    "Search",
    "SearchState",
    "baseline_of",
    "driver_of",
    "open_database",
    "open_study",
    "outcome_of",
    "read_journal",
    "spending_of",
    "without_password",
]
