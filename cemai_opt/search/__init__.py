"""Which trials to run: the initial design, the samplers, the loop, the ledger."""

from cemai_opt.search.allowance import Allowance
from cemai_opt.search.confirm import Confirmation
from cemai_opt.search.design import baseline_of
from cemai_opt.search.ledger import DRIVER, Ledger, spending_of
from cemai_opt.search.loop import INTERRUPTED, Search, SearchState
from cemai_opt.search.storage import open_study

__all__ = [
    "DRIVER",
    "INTERRUPTED",
    "Allowance",
    "Confirmation",
    "Ledger",
    "Search",
    "SearchState",
    "baseline_of",
    "open_study",
    "spending_of",
]
