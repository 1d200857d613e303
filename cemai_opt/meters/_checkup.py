"""Measures the precision of a meter on this machine, and the idle power."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cemai_opt.meters._foreign_load import ForeignLoad
from cemai_opt.meters._meter import Meter
from cemai_opt.meters._shared_counters import SharedCounters

WORK_S = {0.01: 10, 0.1: 10, 1.0: 3}
"""Durations of the stages that are measured, and the number of repeats of each."""
LONG_S = 10.0
"""A stage of this duration is not run: its uncertainty is estimated from the others."""


@dataclass(frozen=True, kw_only=True)
class Checkup:
    """Relative standard uncertainty of equal stages of one duration; `n` is 0 if it was estimated, not measured."""

    work_s: float
    n: int
    mean_j: float
    uncertainty: float


def check_up(meter: Meter) -> list[Checkup]:
    """Measures equal work of several durations; the larger of the spread of repeats and the stated uncertainty."""
    loops_per_s = _calibrated_loops()
    rows = [_measured(meter, work_s, n=n, loops_per_s=loops_per_s) for work_s, n in WORK_S.items()]
    joules = rows[-1].mean_j * LONG_S / rows[-1].work_s
    stated = meter.uncertainty_j(joules, LONG_S) / joules if joules > 0 else float("inf")
    return [*rows, Checkup(work_s=LONG_S, n=0, mean_j=joules, uncertainty=max(stated, rows[-1].uncertainty))]


def idle_power_w(
    meters: Mapping[str, SharedCounters], seconds: float, *, sleep: Callable[[float], None] = time.sleep
) -> tuple[dict[str, float], float]:
    """Watts that each meter shows while this process sleeps, and the foreign load meanwhile, from 0 to 1."""
    load = ForeignLoad()
    start = {name: (meter.drawn_j, time.monotonic()) for name, meter in meters.items()}
    sleep(seconds)
    watts = {
        name: (meter.drawn_j - start[name][0]) / (time.monotonic() - start[name][1]) for name, meter in meters.items()
    }
    return watts, load.share()


def _measured(meter: Meter, work_s: float, *, n: int, loops_per_s: int) -> Checkup:
    joules, stated = [], []
    for _ in range(n):
        with meter.window() as window:
            _work(round(work_s * loops_per_s))
        joules.append(window.energy_j)
        stated.append(window.uncertainty_j)
    mean_j = statistics.fmean(joules)
    spread_j = statistics.stdev(joules)
    worst_j = max(spread_j, statistics.fmean(stated))
    return Checkup(work_s=work_s, n=n, mean_j=mean_j, uncertainty=worst_j / mean_j if mean_j > 0 else float("inf"))


def _calibrated_loops() -> int:
    """Loops of `_work` per CPU second."""
    loops = 200_000
    start = time.process_time()
    _work(loops)
    return round(loops / (time.process_time() - start))


def _work(loops: int) -> int:
    total = 0
    for i in range(loops):
        total += i * i
    return total
