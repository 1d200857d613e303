"""What a run says to somebody who called it from Python."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cemai_opt.compose import PreparedStudy
from cemai_opt.core.result import TrialResult
from cemai_opt.core.scores import maximised
from cemai_opt.search import Events, SearchState


class ResultEvents(Events):
    """Calls a function with each finished trial, and passes all events on."""

    def __init__(self, on_result: Callable[[TrialResult], None], others: Events) -> None:
        self._on_result, self._others = on_result, others

    def on_result(self, result: TrialResult, state: SearchState) -> None:
        """Calls the function."""
        self._on_result(result)
        self._others.on_result(result, state)

    def on_phase(self, text: str) -> None:
        """Passes it on."""
        self._others.on_phase(text)


@contextmanager
def events_of(prepared: PreparedStudy, on_result: Callable[[TrialResult], None], *, is_shown: bool) -> Iterator[Events]:
    """Events that call `on_result`; with `is_shown`, the notes of the study and a progress bar on standard error."""
    if not is_shown:
        yield ResultEvents(on_result, Events())
        return
    from cemai_opt.session.progress import ProgressEvents  # loads rich

    with ProgressEvents(maximised(prepared.study.score), budget_g=prepared.study.search.budget_g) as shown:
        for note in prepared.notes:
            shown.on_phase(note)
        yield ResultEvents(on_result, shown)


def in_notebook() -> bool:
    """Whether this is a notebook's kernel, where people look at what a call prints."""
    shell = sys.modules.get("ipykernel.zmqshell")
    return shell is not None and shell.ZMQInteractiveShell.initialized()
