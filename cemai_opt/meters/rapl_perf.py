"""Reads RAPL through perf events of the Linux kernel, where powercap is not readable."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from cemai_opt.core.errors import MeterError
from cemai_opt.meters._meter import Availability
from cemai_opt.meters._perf_event import PerfEvent
from cemai_opt.meters._shared_counters import Clocks, Counter, SharedCounters

DEVICE = Path("/sys/bus/event_source/devices/power")
COUNTED = ("energy-pkg", "energy-ram")
"""Events of the packages and of memory outside them; others count the same joules again."""
REMEDY = "sudo sysctl kernel.perf_event_paranoid=0, or give this process the capability CAP_PERFMON"


class _Event(Protocol):
    """What is read of a `PerfEvent`."""

    def read(self) -> int: ...


class _Opener(Protocol):
    """How an event is opened on a processor."""

    def __call__(self, kind: int, config: int, *, cpu: int) -> _Event: ...


class _PerfCounter(Counter):
    """One event on one package; the kernel keeps it from wrapping."""

    def __init__(self, event: _Event, joules_per_count: float) -> None:
        self._event, self._joules_per_count, self._last = event, joules_per_count, event.read()

    def advance_j(self) -> float:
        """Joules since the last reading."""
        try:
            now = self._event.read()
        except OSError as error:
            raise MeterError(f"cannot read a perf event any more: {error.strerror}", "see `doctor`") from error
        step, self._last = now - self._last, now
        return step * self._joules_per_count


class RaplPerf(SharedCounters):
    """Processor package and memory counters through perf events, without idle power, attributed by CPU time."""

    rank = 11

    def __init__(
        self,
        root: Path = DEVICE,
        opener: _Opener = PerfEvent,
        *,
        clocks: Clocks | None = None,
        idle_w: float | None = None,
    ) -> None:
        try:
            counters = _counters(root, opener)
        except (OSError, ValueError) as error:
            raise MeterError(f"cannot open the events of {root}: {error}", REMEDY) from error
        if (root / "events" / "energy-ram").exists():
            self.covers = frozenset({"ram"})
        super().__init__("rapl_perf", counters, clocks=clocks, idle_w=idle_w)
        self._source = f"rapl_perf: {len(counters)} counters"

    @classmethod
    def availability(cls, root: Path = DEVICE, opener: _Opener = PerfEvent) -> Availability:
        """Readable if the kernel has energy events, and lets this process count them on whole processors."""
        if not (root / "events" / COUNTED[0]).exists():
            why = f"{root} has no event {COUNTED[0]}: a virtual machine, or no RAPL in this processor"
            return Availability(False, why, "run on the host")
        try:
            _counters(root, opener)
        except (OSError, ValueError) as error:
            return Availability(False, f"the kernel refuses perf events: {error}", REMEDY)
        return Availability(True)

    @property
    def source(self) -> str:
        """The number of counters, and the idle power that was subtracted."""
        return f"{self._source} {self.attribution_text}"


def _counters(root: Path, opener: _Opener) -> list[Counter]:
    """Every counted event on one processor of each package (the kernel's `cpumask`). OSError if the kernel refuses."""
    kind = int((root / "type").read_text())
    counters: list[Counter] = []
    for name in COUNTED:
        event = root / "events" / name
        if event.exists():
            config = int(event.read_text().strip().removeprefix("event="), base=0)
            scale = float((root / "events" / f"{name}.scale").read_text())
            counters += [_PerfCounter(opener(kind, config, cpu=cpu), scale) for cpu in _processors(root / "cpumask")]
    return counters


def _processors(mask: Path) -> list[int]:
    """The processors of a list such as `0,28` or `0-1`."""
    processors: list[int] = []
    for part in mask.read_text().strip().split(","):
        first, _, last = part.partition("-")
        processors += range(int(first), int(last or first) + 1)
    return processors
