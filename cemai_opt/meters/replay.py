"""Plays back a recorded trace of readings, so that a study can be run again without its hardware."""

from __future__ import annotations

import json
import os
from pathlib import Path

from cemai_opt.core.errors import MeterError
from cemai_opt.meters._meter import Availability, Meter

RECORD = "CEMAI_OPT_RECORD"
"""Environment variable: the trace that `--record` writes."""
TRACE = "CEMAI_OPT_TRACE"
"""Environment variable: the trace that `--meter replay` plays back."""


class Replay(Meter):
    """The readings of a trace that `--record` wrote, in their order.

    The same study with the same seed asks for readings in the same order, so it gets the same joules, and NSGA-II takes
    the same turns: everything but the time of day is as it was.
    """

    rank = 90
    is_live = False

    def __init__(self, path: Path | None = None) -> None:
        source = path or Path(os.environ.get(TRACE, ""))
        try:
            header, *readings = source.read_text(encoding="utf-8").splitlines()
            self._recorded = str(json.loads(header)["source"])
            self.attribution = float(json.loads(header)["attribution"])  # type: ignore[misc]  # of this one trace
            self._readings = iter([float(line) for line in readings])
            self._last_j = 0.0
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MeterError(f"cannot play back {source}: {error}", f"name a trace in {TRACE}") from error
        self.covers = frozenset({"ram", "gpu"})
        self._path = source

    @classmethod
    def availability(cls) -> Availability:
        """Readable where a trace is named; never chosen by itself."""
        if os.environ.get(TRACE):
            return Availability(True)
        return Availability(False, f"{TRACE} names no trace", "record one with `optimize --record FILE`")

    @property
    def source(self) -> str:
        """The file, and what had been read."""
        return f"replay: {self._path.name} of {self._recorded}"

    def peek_j(self) -> float:
        """The last reading that was played back."""
        return self._last_j

    def _read_j(self) -> float:
        try:
            self._last_j = next(self._readings)
            return self._last_j
        except StopIteration:
            raise MeterError(
                f"{self._path} has no more readings: another study, or another seed, than the recorded one"
            ) from None


class _Recording(Meter):
    """Writes every reading of other meters, added up, into a trace; noise is not looked at meanwhile."""

    is_live = False

    def __init__(self, meters: tuple[Meter, ...], path: Path) -> None:
        self._meters, self.covers = meters, frozenset({"ram", "gpu"})
        self.attribution = max(meter.attribution for meter in meters)  # type: ignore[misc]  # of this one recording
        self.resolution_s = max(meter.resolution_s for meter in meters)  # type: ignore[misc]  # the same
        try:
            self._stream = path.open("w", encoding="utf-8")
        except OSError as error:
            raise MeterError(f"cannot record to {path}: {error.strerror}", "choose another file") from error
        self._stream.write(json.dumps({"source": self.source, "attribution": self.attribution}) + "\n")

    @classmethod
    def availability(cls) -> Availability:
        """Wherever the recorded meters are."""
        return Availability(True)

    @property
    def source(self) -> str:
        """What is recorded."""
        return "; ".join(meter.source for meter in self._meters)

    def begin_run(self) -> None:
        """Passed on."""
        for meter in self._meters:
            meter.begin_run()

    def peek_j(self) -> float:
        """A reading that no trace needs."""
        return sum(meter.peek_j() for meter in self._meters)

    def _read_j(self) -> float:
        joules = sum(meter.read_j() for meter in self._meters)
        self._stream.write(f"{joules!r}\n")
        self._stream.flush()
        return joules


def recording(meters: tuple[Meter, ...], path: Path) -> Meter:
    """One meter that reads all of `meters` and keeps every reading in a trace."""
    return _Recording(meters, path)
