"""Measures how well a meter measures here, and what this machine draws when idle."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from cemai_opt.meters._foreign_load import ForeignLoad
from cemai_opt.meters._meter import Meter
from cemai_opt.meters.rapl import Rapl

WORK_S = {0.01: 10, 0.1: 10, 1.0: 3}
"""Lengths of the stages that are measured, with how often."""
LONG_S = 10.0
"""A stage of this length is not run: its figure follows from the others."""


@dataclass(frozen=True)
class Checkup:
    """Relative standard uncertainty of equal stages of one length; `n` is 0 where it was reckoned, not run."""

    work_s: float
    n: int
    mean_j: float
    uncertainty: float


def check_up(meter: Meter) -> list[Checkup]:
    """Equal work of several lengths, measured now: what repeats show, or what the meter states where that is more."""
    loops_per_s = _calibrated_loops()
    rows = [_measured(meter, work_s, n, loops_per_s) for work_s, n in WORK_S.items()]
    joules = rows[-1].mean_j * LONG_S / rows[-1].work_s
    stated = meter.uncertainty_j(joules, LONG_S) / joules if joules > 0 else float("inf")
    return [*rows, Checkup(LONG_S, 0, joules, max(stated, rows[-1].uncertainty))]


def idle_power_w(meter: Rapl, seconds: float, sleep: Callable[[float], None] = time.sleep) -> tuple[float, float]:
    """Watts that the packages draw while this process sleeps, and the load of others meanwhile, from 0 to 1."""
    load = ForeignLoad()
    start_j, start_s = meter.drawn_j, time.monotonic()
    sleep(seconds)
    watts = (meter.drawn_j - start_j) / (time.monotonic() - start_s)
    return watts, load.share()


def _measured(meter: Meter, work_s: float, n: int, loops_per_s: int) -> Checkup:
    joules, stated = [], []
    for _ in range(n):
        with meter.window() as window:
            _work(round(work_s * loops_per_s))
        joules.append(window.energy_j)
        stated.append(window.uncertainty_j)
    mean_j = statistics.fmean(joules)
    spread_j = statistics.stdev(joules)
    worst_j = max(spread_j, statistics.fmean(stated))
    return Checkup(work_s, n, mean_j, worst_j / mean_j if mean_j > 0 else float("inf"))


def _calibrated_loops() -> int:
    """Loops of `_work` in a CPU second."""
    loops = 200_000
    start = time.process_time()
    _work(loops)
    return round(loops / (time.process_time() - start))


def _work(loops: int) -> int:
    total = 0
    for i in range(loops):
        total += i * i
    return total
