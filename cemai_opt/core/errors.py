"""The errors of the product, classified by their consequence.

CemaiError
├── StudyError   the study cannot start: one message, exit status 2, nothing written
├── TrialError   this trial failed: it is recorded with its reason, the search goes on
├── TrialEndedError  this trial was pruned: it is recorded with its reason
└── MeterError   energy cannot be measured: the run stops; `doctor` reports the reason
"""

import difflib
from collections.abc import Iterable


class CemaiError(Exception):
    """An error that a user can fix: `message` states what is wrong and where, `hint` what to try."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class StudyError(CemaiError):
    """The study cannot be run as specified."""


class TrialError(CemaiError):
    """A trial could not be finished."""


class TrialEndedError(CemaiError):
    """A trial can no longer become useful, or the budget is used up."""


class MeterError(CemaiError):
    """A source of energy readings cannot be read."""


def nearest(wanted: object, known: Iterable[str]) -> str:
    """A hint with the known word closest to `wanted`, or with the known words.

    >>> nearest("xgbost", ["ridge", "xgboost"])
    "did you mean 'xgboost'?"
    >>> nearest("zzz", ["ridge", "xgboost"])
    'known: ridge, xgboost'
    """
    words = sorted(str(word) for word in known)
    by_lower = {word.lower(): word for word in words}
    close = difflib.get_close_matches(str(wanted).lower(), by_lower, n=1, cutoff=0.6)
    if close:
        return f"did you mean {by_lower[close[0]]!r}?"
    shown = ", ".join(words[:20]) + (", ..." if len(words) > 20 else "")
    return f"known: {shown}" if words else "nothing is known here"
