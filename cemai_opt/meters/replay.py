"""Replays a recorded trace of readings, so that a study can be repeated without its hardware."""

from __future__ import annotations

import json
import os
from pathlib import Path

from cemai_opt.core.errors import MeterError
from cemai_opt.meters._meter import Availability, Meter

RECORD = "CEMAI_OPT_RECORD"
"""Environment variable: the trace that `--record` writes."""
MAX_HEADER_BYTES = 65536
TRACE = "CEMAI_OPT_TRACE"
"""Environment variable: the trace that `--meter replay` replays."""


class Replay(Meter):
    """The readings of a trace that `--record` wrote, in their order.

    The same study with the same seed takes readings in the same order, so that it has the same joules and NSGA-II makes
    the same choices: everything is repeated except timestamps.
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
            raise MeterError(f"cannot replay {source}: {error}", f"give a trace in {TRACE}") from error
        self.covers = frozenset({"ram", "gpu"})
        self._path = source

    @classmethod
    def availability(cls) -> Availability:
        """Readable if a trace is given; never selected automatically."""
        if os.environ.get(TRACE):
            return Availability(True)
        return Availability(False, f"{TRACE} is not set", "record one with `optimize --record FILE`")

    @property
    def source(self) -> str:
        """The file, and the recorded source."""
        return f"replay: {self._path.name} of {self._recorded}"

    def peek_j(self) -> float:
        """The last reading that was replayed."""
        return self._last_j

    def _read_j(self) -> float:
        try:
            self._last_j = next(self._readings)
            return self._last_j
        except StopIteration:
            raise MeterError(
                f"{self._path} has no more readings: the study or the seed differs from the recorded one"
            ) from None


class _TraceRecorder(Meter):
    """Writes the sum of the readings of other meters to a trace; foreign load is not measured meanwhile."""

    is_live = False

    def __init__(self, meters: tuple[Meter, ...], path: Path) -> None:
        self._meters, self.covers = meters, frozenset({"ram", "gpu"})
        self.attribution = max(meter.attribution for meter in meters)  # type: ignore[misc]  # of this one recording
        self.resolution_s = max(meter.resolution_s for meter in meters)  # type: ignore[misc]  # as above
        if not _may_be_replaced(path):
            raise MeterError(f"--record {path} exists, and holds no trace", "name another file")
        try:
            self._stream = path.open("w", encoding="utf-8")
        except OSError as error:
            raise MeterError(f"cannot record to {path}: {error.strerror}", "choose another file") from error
        self._stream.write(json.dumps({"source": self.source, "attribution": self.attribution}) + "\n")

    @classmethod
    def availability(cls) -> Availability:
        """Readable, because the recorded meters are open."""
        return Availability(True)

    @property
    def source(self) -> str:
        """The sources that are recorded."""
        return "; ".join(meter.source for meter in self._meters)

    def begin_run(self) -> None:
        """Calls `begin_run` of the recorded meters."""
        for meter in self._meters:
            meter.begin_run()

    def peek_j(self) -> float:
        """A reading that is not written to the trace."""
        return sum(meter.peek_j() for meter in self._meters)

    def _read_j(self) -> float:
        joules = sum(meter.read_j() for meter in self._meters)
        self._stream.write(f"{joules!r}\n")
        self._stream.flush()
        return joules


def recording(meters: tuple[Meter, ...], path: Path) -> Meter:
    """One meter that reads all of `meters` and writes every reading to a trace."""
    return _TraceRecorder(meters, path)


def _may_be_replaced(path: Path) -> bool:
    """Whether it is a new file, an empty one, or a trace."""
    if not path.exists():
        return True
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        header = stream.readline(MAX_HEADER_BYTES)
    try:
        return not header or {"source", "attribution"} <= set(json.loads(header))
    except (ValueError, TypeError):
        return False
