"""The base class of all meters."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import TracebackType
from typing import ClassVar, Self, final

from cemai_opt.core.registry import Part


@dataclass(frozen=True)
class Availability:
    """Whether a source can be read here; if not, the reason and a remedy."""

    is_readable: bool
    why: str = ""
    remedy: str = ""


class Meter(Part, ABC):
    """A counter of the joules that this process and its descendants use on one device. Subclasses implement `_read_j`.

    `kind` is "cpu", "ram" or "gpu"; `rank` orders sources of one kind, best first. `resolution_s`: a shorter stage
    cannot be resolved by this source and gets its share by CPU time. `attribution`: relative standard uncertainty of a
    reading due to the attribution of joules to this process among others.
    """

    kind: ClassVar[str] = "cpu"
    rank: ClassVar[int] = 50
    resolution_s: ClassVar[float] = 0.0
    attribution: ClassVar[float] = 0.0
    model_error: float = 0.0
    """Relative error common to all readings of this machine; it cancels when two pipelines are compared."""

    is_live: ClassVar[bool] = True
    """Whether it reads this machine now, so that foreign load matters."""
    counts_whole_process: ClassVar[bool] = False
    """Whether it counts from the start of the process rather than from the opening of the meter."""
    covers: frozenset[str] = frozenset()
    """Further kinds whose energy this source already includes, such as "ram" if RAPL has memory counters."""
    device: str = "cpu"
    """Name of the device in results."""

    @classmethod
    @abstractmethod
    def availability(cls) -> Availability:
        """Whether this source can be read on this machine now."""

    @classmethod
    def opened(cls, threads: int) -> Self:
        """The meter for trials with this number of threads."""
        return cls()

    def begin_run(self) -> None:
        """Called before the first reading of a pipeline run; a meter may record a baseline."""
        return

    @final
    def read_j(self) -> float:
        """Joules since some fixed moment; never decreases. MeterError if the source can no longer be read."""
        return self._read_j()

    def peek_j(self) -> float:
        """As `read_j`, for a ledger, whose readings are not part of a recorded trace."""
        return self.read_j()

    @final
    def window(self) -> Window:
        """A context in which joules are counted: `with meter.window() as window: ...; window.energy_j`."""
        return Window(self)

    @final
    def uncertainty_j(self, energy_j: float, duration_s: float = math.inf) -> float:
        """Standard uncertainty of a window of `energy_j` joules: read-out at both ends, and attribution.

        A window shorter than the resolution has a share of the joules of a longer one, and the same share of its
        read-out uncertainty.
        """
        told_apart = min(1.0, duration_s / self.resolution_s) if self.resolution_s > 0 else 1.0
        return math.hypot(told_apart * self._read_out_j(), self.attribution * energy_j)

    @property
    def source(self) -> str:
        """One line for every row of output: what was read, and how it was converted to joules."""
        return type(self).__name__

    @abstractmethod
    def _read_j(self) -> float:
        """Joules since some fixed moment."""

    def _read_out_j(self) -> float:
        """Standard uncertainty of a difference of two readings."""
        return 0.0


class Window:
    """Joules between two moments; `energy_j` and `uncertainty_j` are set at the end."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self.energy_j = math.nan
        self.uncertainty_j = math.nan

    def __enter__(self) -> Window:
        self._start_j = self._meter.read_j()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.energy_j = self._meter.read_j() - self._start_j
        self.uncertainty_j = self._meter.uncertainty_j(self.energy_j)
