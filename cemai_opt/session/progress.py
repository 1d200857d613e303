"""Progress of a run: a live bar on a terminal and in a notebook, plain lines elsewhere."""

from __future__ import annotations

import importlib.util
import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cemai_opt.core.result import FAILED, TrialResult
from cemai_opt.core.units import readable_grams
from cemai_opt.search import Events, SearchState

PLAIN_EVERY_S = 5.0
BAR_WIDTH = 14
NOTEBOOK_COLUMNS = 110


def _console(*, quiet: bool) -> Console:
    """Standard error; in a notebook, its cell.

    Without ipywidgets rich would print a warning in place of a bar there, so plain lines are printed.
    """
    console = Console(file=sys.stderr, quiet=quiet)
    if console.is_jupyter and importlib.util.find_spec("ipywidgets") is None:
        return Console(file=sys.stdout, quiet=quiet, force_jupyter=False, force_terminal=False, width=NOTEBOOK_COLUMNS)
    return console


class ProgressEvents(Events):
    """Shows the progress of a run on standard error, so that standard output holds results only."""

    def __init__(self, score: str, *, budget_g: float | None = None, quiet: bool = False) -> None:
        self._score = score
        self._of_budget = "" if budget_g is None else f" of {readable_grams(budget_g)}"
        self._console = _console(quiet=quiet)
        self._has_bar = self._console.is_terminal or self._console.is_jupyter
        self._progress = Progress(
            BarColumn(bar_width=BAR_WIDTH),
            MofNCompleteColumn(),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            transient=True,
            disable=quiet or not self._has_bar,
        )
        self._task = self._progress.add_task("starting", total=None)
        self._last_plain_s = float("-inf")

    def __enter__(self) -> ProgressEvents:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def on_result(self, result: TrialResult, state: SearchState) -> None:
        """Shows one more finished trial; a failed one with its reason, on a line of its own."""
        if result.state == FAILED:
            self._console.print(
                f"trial {result.trial} ({result.model}) failed: {result.reason}", style="yellow", markup=False
            )
        text = self._text(state)
        self._progress.update(self._task, completed=state.done, total=state.trials, description=text)
        is_due = time.monotonic() - self._last_plain_s >= PLAIN_EVERY_S or state.done == state.trials
        if not self._has_bar and is_due:
            self._last_plain_s = time.monotonic()
            self._console.print(f"{state.done}/{state.trials}  {text}", markup=False, highlight=False)

    def on_phase(self, text: str) -> None:
        """Shows that a new phase begins."""
        self._progress.update(self._task, description=text)
        if not self._has_bar:
            self._console.print(text, markup=False)

    def _text(self, state: SearchState) -> str:
        spent = f"spent {readable_grams(state.spent_g)}{self._of_budget}"
        if not len(state.front):
            return spent
        best, greenest = state.front.best, state.front.greenest
        return (
            f"best {self._score} {best.score:.3f}  greenest {readable_grams(greenest.carbon_g)}  "
            f"hv {state.hypervolume:.3f}  {spent}"
        )
