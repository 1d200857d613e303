"""The base of all meters."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import TracebackType
from typing import ClassVar, final

from cemai_opt.core.registry import Part


@dataclass(frozen=True)
class Availability:
    """Can a source be read here? Where not: why, and what would make it readable."""

    is_readable: bool
    why: str = ""
    remedy: str = ""


class Meter(Part, ABC):
    """A counter of the joules that this process and its descendants cause on one device. A part writes `_read_j`.

    `kind` is "cpu", "ram" or "gpu"; `rank` orders sources of one kind, best first. `resolution_s`: a shorter stage
    cannot be told by this source and gets its share by CPU time. `attribution`: relative standard uncertainty of a
    reading that comes from how joules are assigned to this process, beside neighbours.
    """

    kind: ClassVar[str] = "cpu"
    rank: ClassVar[int] = 50
    resolution_s: ClassVar[float] = 0.0
    attribution: ClassVar[float] = 0.0
    model_error: ClassVar[float] = 0.0
    """Relative error common to all readings of this machine; it cancels when two pipelines are compared."""

    is_live: ClassVar[bool] = True
    """Does it read this machine now, so that other work on the machine matters?"""
    counts_whole_process: ClassVar[bool] = False
    """Does its count begin when the process begins, rather than when the meter is opened?"""
    covers: frozenset[str] = frozenset()
    """Further kinds whose energy this source already contains, such as "ram" where RAPL has memory counters."""
    device: str = "cpu"
    """Name of the device in results."""

    @classmethod
    @abstractmethod
    def availability(cls) -> Availability:
        """Can this source be read on this machine, now?"""

    @classmethod
    def opened(cls, threads: int) -> Meter:
        """The meter for trials of so many threads."""
        return cls()

    def begin_run(self) -> None:
        """Called before the first reading of a pipeline run; a meter may note what was there before."""
        return

    @final
    def read_j(self) -> float:
        """Joules since some fixed moment; never falls. MeterError where the source no longer answers."""
        return self._read_j()

    def peek_j(self) -> float:
        """The same for a ledger, whose readings are no part of a recorded trace."""
        return self.read_j()

    @final
    def window(self) -> Window:
        """A context in which joules are counted: `with meter.window() as window: ...; window.energy_j`."""
        return Window(self)

    @final
    def uncertainty_j(self, energy_j: float, duration_s: float = math.inf) -> float:
        """Standard uncertainty of a window of `energy_j` joules: read-out at both ends, then attribution.

        A window shorter than the resolution got its joules as a share of a longer one, and so a share of its read-out.
        """
        told_apart = min(1.0, duration_s / self.resolution_s) if self.resolution_s > 0 else 1.0
        return math.hypot(told_apart * self._read_out_j(), self.attribution * energy_j)

    @property
    def source(self) -> str:
        """One line for every row of output: what was read, and how it became joules."""
        return type(self).__name__

    @abstractmethod
    def _read_j(self) -> float:
        """Joules since some fixed moment."""

    def _read_out_j(self) -> float:
        """Standard uncertainty of a difference of two readings."""
        return 0.0


class Window:
    """Joules between two moments; `energy_j` and `uncertainty_j` are there after the end."""

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
