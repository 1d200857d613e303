"""The joules of a run over time, second by second, to be compared with a wall meter."""

from __future__ import annotations

import csv
import datetime
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields

from cemai_opt.core.errors import StudyError
from cemai_opt.meters import Meter, process_tree_cpu_s


@dataclass(frozen=True, kw_only=True)
class PowerRow:
    """What this process tree has used in an interval, by the meters in use: CPU seconds, and joules by device.

    `end` is in seconds since 1970.
    """

    end: float
    duration_s: float
    cpu_s: float
    cpu_j: float
    ram_j: float
    gpu_j: float

    @property
    def start(self) -> float:
        """Seconds since 1970."""
        return self.end - self.duration_s

    @property
    def text(self) -> str:
        """One line of CSV."""
        end = datetime.datetime.fromtimestamp(self.end, datetime.UTC).isoformat(timespec="milliseconds")
        return ",".join([end, *(f"{value:.4g}" for value in astuple(self)[1:])])


HEADER = ",".join(field.name for field in fields(PowerRow))


class PowerLog:
    """Turns the counts of meters into rows."""

    def __init__(
        self,
        meters: Sequence[Meter],
        clock: Callable[[], float] = time.time,
        *,
        cpu_clock: Callable[[], float] = process_tree_cpu_s,
    ) -> None:
        self._meters, self._clock, self._cpu_clock = tuple(meters), clock, cpu_clock
        self._last = self._now()

    def row(self) -> PowerRow:
        """What was used since the row before, or since the log was opened."""
        now, last = self._now(), self._last
        self._last = now
        joules = dict.fromkeys(("cpu", "ram", "gpu"), 0.0)
        for meter, end_j, start_j in zip(self._meters, now[2:], last[2:], strict=True):
            joules[meter.kind] += max(0.0, end_j - start_j)
        return PowerRow(
            end=now[0],
            duration_s=max(0.0, now[0] - last[0]),
            cpu_s=max(0.0, now[1] - last[1]),
            cpu_j=joules["cpu"],
            ram_j=joules["ram"],
            gpu_j=joules["gpu"],
        )

    def _now(self) -> tuple[float, ...]:
        return (self._clock(), self._cpu_clock(), *(meter.peek_j() for meter in self._meters))


def power_rows(text: str) -> list[PowerRow]:
    """The rows of a log; a partial last line is ignored. StudyError if another one is no row."""
    rows = []
    for number, line in enumerate(csv.reader(text.rpartition("\n")[0].splitlines()[1:]), start=2):
        try:
            end, *rest = line
            moment = datetime.datetime.fromisoformat(end).timestamp()
            values = dict(zip((field.name for field in fields(PowerRow)[1:]), map(float, rest), strict=True))
        except ValueError as error:
            raise StudyError(f"line {number} is no row of a power log: {error}", HEADER) from error
        if not all(math.isfinite(value) for value in values.values()):
            raise StudyError(f"line {number} is no row of a power log: {line}", HEADER)
        rows.append(PowerRow(end=moment, **values))
    return rows
