"""Carbon intensity over time, from a file or from a user-supplied command; without network access."""

from __future__ import annotations

import bisect
import csv
import datetime
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from cemai_opt.core.commands import printed_by
from cemai_opt.core.errors import StudyError
from cemai_opt.core.study import COMMAND

SAMPLE_EVERY_S = 60.0


class LiveIntensity:
    """Grams per kWh now, and their mean over a session in which `sample` is called from time to time."""

    def __init__(self, source: str, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.series = None if source.startswith(COMMAND) else IntensitySeries.read(Path(source))
        self._command = source.removeprefix(COMMAND)
        self._samples: list[tuple[float, float]] = []
        self.sample()

    def now(self) -> float:
        """Grams per kWh at this moment. StudyError if the command fails or prints no number."""
        return self.series.at(self._clock()) if self.series is not None else _asked(self._command)

    def sample(self, at_least_s: float = 0.0) -> None:
        """Takes a reading, unless the last one is younger than `at_least_s`."""
        moment = self._clock()
        if not self._samples or moment - self._samples[-1][0] >= at_least_s:
            self._samples.append((moment, self.now()))

    def mean(self) -> float:
        """Mean over the samples, each holding until the next."""
        spans = [b[0] - a[0] for a, b in zip(self._samples, self._samples[1:], strict=False)]
        if sum(spans) <= 0.0:
            return self._samples[-1][1]
        held = zip(self._samples, spans, strict=False)
        return math.fsum(grams * span for (_, grams), span in held) / math.fsum(spans)


@dataclass(frozen=True)
class IntensityStep:
    """A time of constant intensity, in seconds since 1970 and grams per kWh."""

    start_s: float
    end_s: float
    grams: float


class IntensitySeries:
    """Moments (seconds since 1970, ascending) with the grams per kWh that apply from each moment on."""

    def __init__(self, moments: list[float], grams: list[float]) -> None:
        self._moments, self._grams = moments, grams

    @staticmethod
    def read(path: Path) -> IntensitySeries:
        """A CSV file with a header and two columns: ISO 8601 time, grams per kWh. StudyError states the invalid row."""
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise StudyError(f"cannot read intensity file {path}: {error}", "name a CSV file, or a number") from error
        return IntensitySeries.parsed(text, f"intensity file {path}")

    @staticmethod
    def parsed(text: str, where: str) -> IntensitySeries:
        """The same from a text; `where` names it in errors."""
        known: list[tuple[float, float]] = []
        try:
            rows = list(csv.reader(text.splitlines()))[1:]
        except csv.Error as error:
            raise StudyError(f"{where} is not CSV: {error}", "write a header, then lines of time,g_per_kwh") from error
        for number, row in enumerate(rows, start=2):
            if not row:
                continue
            try:
                moment, grams = datetime.datetime.fromisoformat(row[0]), float(row[1])
            except (ValueError, IndexError) as error:
                raise StudyError(
                    f"{where}, line {number}: {row} is not a time with grams per kWh", "2026-01-31T12:00,56"
                ) from error
            if not (math.isfinite(grams) and grams > 0):
                raise StudyError(f"{where}, line {number}: {row[1]} is not above 0", "give grams per kWh")
            known.append((moment.timestamp(), grams))
        if not known:
            raise StudyError(f"{where} has no rows", "write a header, then lines of time,g_per_kwh")
        known.sort()
        return IntensitySeries([moment for moment, _ in known], [grams for _, grams in known])

    def at(self, moment_s: float) -> float:
        """The value in force at a moment; the first one before the series, the last one after it."""
        return self._grams[max(0, bisect.bisect_right(self._moments, moment_s) - 1)]

    def steps(self, start_s: float, end_s: float) -> list[IntensityStep]:
        """The steps between two moments, the first and the last one cut there; none if the end is not later."""
        if end_s <= start_s:
            return []
        moments = [start_s, *(moment for moment in self._moments if start_s < moment < end_s), end_s]
        return [IntensityStep(start_s=a, end_s=b, grams=self.at(a)) for a, b in pairwise(moments)]

    def mean(self) -> float:
        """Mean of all values: the one intensity that a study's objective is computed with."""
        return math.fsum(self._grams) / len(self._grams)


def _asked(command: str) -> float:
    text = printed_by(command, what="intensity command", wanted="one number").strip()
    try:
        grams = float(text)
    except ValueError as error:
        raise StudyError(f"intensity command {command!r} failed: {error}", "it must print one number") from error
    if not (math.isfinite(grams) and grams > 0):
        raise StudyError(f"intensity command {command!r} printed {grams:g}", "it must print grams per kWh above 0")
    return grams
