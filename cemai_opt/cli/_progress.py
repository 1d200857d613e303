"""One live line where there is a terminal, plain lines where there is none."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cemai_opt.core.result import FAILED, TrialResult
from cemai_opt.core.units import readable_grams

if TYPE_CHECKING:
    from cemai_opt.search import SearchState

PLAIN_EVERY_S = 5.0
BAR_CELLS = 14


class Progress:
    """Shows how a search stands, on standard error, so that standard output stays clean."""

    def __init__(self, score: str) -> None:
        self._score = score
        self._console = Console(file=sys.stderr)
        self._live: Live | None = None
        self._last_plain_s = float("-inf")

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._live = Live(Text("starting"), console=self._console, refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def trial(self, result: TrialResult, state: SearchState) -> None:
        """Shows one more finished trial; a failed one with its reason, on a line of its own."""
        if result.state == FAILED:
            self._console.print(
                f"trial {result.trial} ({result.model}) failed: {result.reason}", style="yellow", markup=False
            )
        if self._live is not None:
            self._live.update(self._line(state))
        elif time.monotonic() - self._last_plain_s >= PLAIN_EVERY_S or state.done == state.trials:
            self._last_plain_s = time.monotonic()
            self._console.print(self._line(state))

    def phase(self, text: str) -> None:
        """Says that something else begins."""
        if self._live is not None:
            self._live.update(Text(text))
        else:
            self._console.print(text, markup=False)

    def _line(self, state: SearchState) -> Text:
        full = round(BAR_CELLS * state.done / state.trials)
        parts = [f"{'#' * full}{'.' * (BAR_CELLS - full)} {state.done}/{state.trials}"]
        if len(state.front):
            parts.append(f"best {self._score} {state.front.best.score:.3f}")
            parts.append(f"greenest {readable_grams(state.front.greenest.carbon_g)}")
            parts.append(f"hv {state.hypervolume:.3f}")
        return Text("  ".join([*parts, f"spent {readable_grams(state.spent_g)}"]))
