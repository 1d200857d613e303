"""The errors of the product, divided by what happens next.

CemaiError
├── StudyError   the study cannot start: one message, exit 2, nothing written
├── TrialError   this trial failed: it is recorded with its reason, the search goes on
├── TrialEndedError  this trial was ended early, on purpose: it is recorded as pruned, with its reason
└── MeterError   energy cannot be measured: stop, `doctor` says why
"""

import difflib
from collections.abc import Iterable


class CemaiError(Exception):
    """A fault that a person can mend: `message` says what and where, `hint` what to try."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class StudyError(CemaiError):
    """The study as asked for cannot be run."""


class TrialError(CemaiError):
    """One trial could not be finished."""


class TrialEndedError(CemaiError):
    """One trial cannot become useful any more, or the budget is used up."""


class MeterError(CemaiError):
    """A source of energy readings does not answer."""


def nearest(wanted: object, known: Iterable[str]) -> str:
    """The hint that names the known word nearest to `wanted`.

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
