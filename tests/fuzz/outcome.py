"""How a case ends."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from cemai_opt.core.errors import CemaiError

WORKED, REFUSED, WRONG, TRACEBACK, HANG = "worked", "refused", "silently wrong", "traceback", "hang"
OUTCOMES = (WORKED, REFUSED, WRONG, TRACEBACK, HANG)
BAD = (WRONG, TRACEBACK, HANG)
LIMIT_S = 10


class WrongError(Exception):
    """What was read is not what was written, and nothing was said."""


@dataclass(frozen=True)
class Outcome:
    """The kind of an outcome, and details: the message, or where it went wrong."""

    kind: str
    details: str = ""


def outcome_of(case: Callable[[], None]) -> Outcome:
    """Runs a case, which raises `WrongError` if its oracle disagrees."""

    def late(number: int, frame: object) -> None:
        raise TimeoutError(f"more than {LIMIT_S} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LIMIT_S)
    try:
        case()
    except CemaiError as error:
        return Outcome(REFUSED, str(error))
    except WrongError as error:
        return Outcome(WRONG, str(error))
    except TimeoutError as error:
        return Outcome(HANG, str(error))
    except Exception:  # what the case is about
        return Outcome(TRACEBACK, traceback.format_exc())
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return Outcome(WORKED)
