"""Updates of deployed models: what is decided, what is done, and the log of both."""

from cemai_opt.updating.log import UpdateEntry, UpdateLog
from cemai_opt.updating.policy import Choice, Rules, Situation, choose
from cemai_opt.updating.update import Search, Updated, update_model

__all__ = [
    "Choice",
    "Rules",
    "Search",
    "Situation",
    "UpdateEntry",
    "UpdateLog",
    "Updated",
    "choose",
    "update_model",
]
