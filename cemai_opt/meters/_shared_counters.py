"""Counters of devices that all processes share, attributed to this process tree by CPU time."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cemai_opt.core.errors import MeterError
from cemai_opt.meters._calibration import idle_watts
from cemai_opt.meters._cpu_clock import machine_busy_cpu_s, process_tree_cpu_s
from cemai_opt.meters._meter import Meter

SHARE_SPAN_S = 0.5
"""With ticks of 10 ms, half a second gives a share of CPU time with a precision of 2 %."""
ALWAYS_READ_SOONER_S = 600.0
"""Counters that take longer than this to wrap need no polling, because the stages read them often enough."""


class Counter(ABC):
    """An energy counter of one device."""

    lasts_s: float = math.inf
    """Seconds until a second wrap could be missed: the counter must be read twice in this time."""

    @abstractmethod
    def advance_j(self) -> float:
        """Joules since the previous call, or since the counter was opened. MeterError if it cannot be read."""


def read_integer(path: Path) -> int:
    """The number in a file of the kernel. MeterError if it cannot be read."""
    try:
        return int(path.read_text())
    except OSError as error:
        raise MeterError(f"cannot read {path}: {error.strerror}", "see `doctor`") from error


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """CPU seconds of this process tree, of all processes of the machine, and seconds on the wall; for tests."""

    own: Callable[[], float] = process_tree_cpu_s
    busy: Callable[[], float] = machine_busy_cpu_s
    wall: Callable[[], float] = time.monotonic


class SharedCounters(Meter):
    """The base class of meters that read `Counter`s: (energy - idle) x own / busy CPU time.

    A subclass hands its counters to `__init__`, and says its `name`, by which `doctor --calibrate` stores idle watts.
    """

    resolution_s = 0.5
    """Kernel ticks of 10 ms limit the precision of a share of CPU time to 2 % of half a second."""
    attribution = 0.03
    model_error = 0.05

    whose_idle: ClassVar[str] = "processor"
    """What draws the idle power that these counters show."""

    def __init__(
        self, name: str, counters: Sequence[Counter], *, clocks: Clocks | None = None, idle_w: float | None = None
    ) -> None:
        if not counters:
            raise MeterError(f"no readable energy counter for {name!r}", "see `doctor`")
        self._clocks, self._counters = clocks or Clocks(), tuple(counters)
        self._idle_w = idle_watts(name) if idle_w is None else idle_w
        self._lock = threading.Lock()
        self._at_s, self._own_s = self._clocks.wall(), self._clocks.own()
        self._moments = deque([(self._at_s, self._own_s, self._clocks.busy())])
        self._charged_j = self._drawn_j = 0.0
        self._poll_s = min(counter.lasts_s for counter in self._counters) / 2
        if self._poll_s < ALWAYS_READ_SOONER_S:
            self._poll_later()

    @property
    def drawn_j(self) -> float:
        """Joules of all processes since this meter was opened."""
        self.read_j()
        return self._drawn_j

    @property
    def attribution_text(self) -> str:
        """How joules are attributed, and the idle power that was subtracted, in words."""
        idle = "idle not calibrated, so included" if self._idle_w is None else f"{self._idle_w:.1f} W idle taken off"
        return f"by CPU-time share, {idle}"

    def _read_j(self) -> float:
        """Adds the energy of this process tree since the last reading."""
        with self._lock:
            drawn_j = math.fsum(counter.advance_j() for counter in self._counters)
            at_s, own_s, busy_s = self._clocks.wall(), self._clocks.own(), self._clocks.busy()
            passed, own = at_s - self._at_s, own_s - self._own_s
            self._at_s, self._own_s = at_s, own_s
            self._drawn_j += drawn_j
            dynamic_j = max(0.0, drawn_j - (self._idle_w or 0.0) * passed)
            self._charged_j += dynamic_j * self._share(at_s, own_s, busy_s=busy_s) if own > 0 else 0.0
            return self._charged_j

    def _share(self, at_s: float, own_s: float, *, busy_s: float) -> float:
        """Own over busy CPU time, over at least `SHARE_SPAN_S`: the busy clock moves in ticks of 10 ms."""
        self._moments.append((at_s, own_s, busy_s))
        while len(self._moments) > 2 and at_s - self._moments[1][0] >= SHARE_SPAN_S:
            self._moments.popleft()
        _, first_own_s, first_busy_s = self._moments[0]
        own, busy = own_s - first_own_s, busy_s - first_busy_s
        return own / max(busy, own) if own > 0 else 0.0

    def _poll_later(self) -> None:
        """Schedules a reading before a counter can wrap twice, which takes only minutes on AMD processors."""
        timer = threading.Timer(self._poll_s, self._poll)
        timer.daemon = True
        timer.start()

    def _poll(self) -> None:
        with contextlib.suppress(MeterError):  # the next reading of a stage raises it
            self._read_j()
        self._poll_later()
