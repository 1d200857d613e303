"""Foretells what a run will take before its first trial, from runs on other data sets."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

from cemai_opt.core.study import ResolvedStudy
from cemai_opt.core.units import readable_bytes, readable_grams, readable_seconds
from cemai_opt.meters import busy_thread, work_s


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An expected value, and the limits that nine of ten runs lie between."""

    expected: float
    low: float
    high: float

    def scaled(self, factor: float, most: float = math.inf) -> Interval:
        """In another unit, with no limit above `most`."""
        expected, low, high = (min(factor * value, most) for value in (self.expected, self.low, self.high))
        return Interval(expected=expected, low=low, high=high)

    def place_of(self, value: float) -> str:
        """Where a value lies, in words."""
        return "inside" if self.low <= value <= self.high else "below" if value < self.low else "above"


@dataclass(frozen=True, kw_only=True)
class PowerLaw:
    """fixed + constant x (values / 1e5)^size x (trials / 100)^trials; nine of ten runs are within `factor` of it."""

    fixed: float
    constant: float
    size: float
    trials: float
    factor: float

    def at(self, values: float, trials: float) -> float:
        """The expected value."""
        return self.fixed + self.constant * math.pow(values / 1e5, self.size) * math.pow(trials / 100, self.trials)

    def around(self, expected: float) -> Interval:
        """The interval of an expected value."""
        return Interval(expected=expected, low=expected / self.factor, high=expected * self.factor)


CPU_S = PowerLaw(fixed=15.1, constant=35.8, size=0.69, trials=0.76, factor=1.85)
"""CPU seconds of a run, or joules by the watts of a thread; `python -m benchmarks.forecast fit` prints all figures."""
MEMORY_BYTES = PowerLaw(fixed=4.22e8, constant=4.12e8, size=0.21, trials=0.14, factor=1.43)
WORK_S = 0.0076
"""CPU seconds of `meters.work_s` in the recorded runs: how slow the machine was on which they ran."""
SECONDS_PER_CPU_SECOND = 0.88
"""On an idle machine, with one worker."""
RECORDED_VALUES = (3990, 2193750)
"""Smallest and largest number of values in the recorded runs."""


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a run is expected to take: grams, seconds, bytes. `values`: see `trained_values`."""

    carbon_g: Interval
    duration_s: Interval
    memory_bytes: Interval
    trials: int
    values: int
    slowness: float

    @staticmethod
    def of(study: ResolvedStudy, shape: tuple[int, ...], *, slowness: float = 1.0) -> Forecast:
        """The forecast for a new run on rows of this shape (n_rows, n_inputs); a budget and a time limit cap it.

        `slowness`: CPU time of the same work on this machine, relative to that of the recorded runs.
        """
        values, trials, workers = trained_values(study, shape), study.search.trials, study.engine.workers
        watts = busy_thread().watts
        cpu_s = CPU_S.around(slowness * CPU_S.at(values, trials))
        fixed_s = slowness * CPU_S.fixed * (1.0 - 1.0 / workers)  # what the driver does is not shared among workers
        wall_s = CPU_S.around(SECONDS_PER_CPU_SECOND * (fixed_s + cpu_s.expected / workers))
        budget_s = SECONDS_PER_CPU_SECOND * study.budget_j / watts / workers
        memory = MEMORY_BYTES.at(values, trials)
        return Forecast(
            carbon_g=cpu_s.scaled(study.carbon.grams(watts), study.search.budget_g or math.inf),
            duration_s=wall_s.scaled(1.0, min(budget_s, study.time_limit_s)),
            memory_bytes=MEMORY_BYTES.around(memory + (workers - 1) * (memory - MEMORY_BYTES.fixed / 2.0)),
            trials=trials,
            values=values,
            slowness=slowness,
        )

    @property
    def text(self) -> str:
        """The forecast in words."""
        known = "" if RECORDED_VALUES[0] <= self.values <= RECORDED_VALUES[1] else "; no data of this size was recorded"
        parts = [
            f"{show(x.expected)}{unit}, the limit"
            if x.low == x.high
            else f"{show(x.expected)}{unit} ({_range(x, show)})"
            for x, show, unit in self._quantities
        ]
        return f"forecast for {self.trials} trials: {', '.join(parts)}; nine of ten runs lie inside{known}"

    def compared(self, *, carbon_g: float, duration_s: float, memory_bytes: float) -> str:
        """What a run took, and whether the forecast was right, in words."""
        took = (carbon_g, duration_s, memory_bytes)
        parts = [
            f"{show(value)}{unit} ({x.place_of(value)} {_range(x, show)})"
            for (x, show, unit), value in zip(self._quantities, took, strict=True)
        ]
        return f"compared with its forecast, the run took {', '.join(parts)}"

    @property
    def _quantities(self) -> list[tuple[Interval, Callable[[float], str], str]]:
        """Intervals, how their values are shown, and a unit to be added."""
        return [
            (self.carbon_g, lambda grams: readable_grams(float(f"{grams:.2g}")), " CO2eq"),
            (self.duration_s, readable_seconds, ""),
            (self.memory_bytes, readable_bytes, " of memory"),
        ]


def slowness_here() -> float:
    """CPU time of a fixed piece of work on this machine, now, relative to that of the recorded runs."""
    return work_s() / WORK_S


def _range(interval: Interval, show: Callable[[float], str]) -> str:
    return f"{show(interval.low)} to {show(interval.high)}"


def trained_values(study: ResolvedStudy, shape: tuple[int, ...]) -> int:
    """Number of values that one trial is trained and scored on: rows times inputs times folds."""
    return int(shape[0] * shape[1] * study.split.folds)


def peak_memory_bytes(study: ResolvedStudy) -> int:
    """Largest resident memory so far: of this process, and of the largest child that has ended, for each worker."""
    try:
        import resource
    except ImportError:  # Windows, where trials run in this process
        import psutil

        return int(psutil.Process().memory_info().peak_wset)  # type: ignore[attr-defined]  # Windows has it
    own, largest = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * (own + study.engine.workers * largest)
