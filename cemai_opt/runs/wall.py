"""Compares the joules of a run with the log of a wall meter."""

from __future__ import annotations

import csv
import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cemai_opt.core.batch import FloatArray
from cemai_opt.core.errors import StudyError
from cemai_opt.runs.power_log import PowerRow

MIN_BLOCK_S, SAMPLES_IN_BLOCK = 5.0, 3
"""Power is compared in means over blocks, which are much longer than the delay of a meter."""
MIN_BLOCKS = 6
EXAMPLE = "a header, then lines such as 2026-01-31T12:00:05+01:00,41.7 (or seconds since 1970)"
HOW = "log every second, for half a minute before and after a run that takes half a minute or longer"


@dataclass(frozen=True)
class WallLog:
    """What a wall meter showed: moments (n,), in seconds since 1970 and ascending, and watts (n,)."""

    moments: FloatArray
    watts: FloatArray

    @staticmethod
    def read(path: Path) -> WallLog:
        """A CSV file with a header and two columns, time and watts. StudyError states the invalid row."""
        try:
            lines = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise StudyError(f"cannot read {path}: {error}", EXAMPLE) from error
        rows = sorted(_wall_row(line, f"{path}, line {n}") for n, line in enumerate(lines[1:], start=2) if line)
        if len(rows) < 2:
            raise StudyError(f"{path} has fewer than two samples", EXAMPLE)
        moments, watts = np.array(rows).T
        return WallLog(moments, watts)

    @property
    def block_s(self) -> float:
        """The duration over which its samples are averaged."""
        return max(MIN_BLOCK_S, SAMPLES_IN_BLOCK * float(np.median(np.diff(self.moments))))


def _wall_row(line: Sequence[str], where: str) -> tuple[float, float]:
    try:
        watts = float(line[1])
        try:
            moment = float(line[0])
        except ValueError:
            moment = datetime.datetime.fromisoformat(line[0].strip()).timestamp()
    except (ValueError, IndexError) as error:
        raise StudyError(f"{where}: {list(line)} is not a time with watts", EXAMPLE) from error
    if not (math.isfinite(watts) and math.isfinite(moment) and watts >= 0):
        raise StudyError(f"{where}: {list(line)} is not a time with watts", EXAMPLE)
    return moment, watts


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value with its standard error."""

    value: float
    se: float


@dataclass(frozen=True, kw_only=True)
class WallComparison:
    """What a wall meter says about a run.

    `idle_w`: watts without the run. `factor`: joules at the wall for each joule that the run's meters counted.
    `watts_per_thread`: what one busy thread adds at the wall, with memory and GPU as the run's meters counted them.
    """

    idle_w: Estimate
    factor: Estimate
    watts_per_thread: Estimate
    n_blocks: int
    block_s: float
    run_s: float

    def agrees_within(self, model_error: float) -> bool:
        """Whether one joule of the run is one at the wall, within its stated relative error and two standard errors."""
        return abs(self.factor.value - 1.0) <= math.hypot(model_error, 2.0 * self.factor.se)


def compared_with_wall(rows: Sequence[PowerRow], wall: WallLog) -> WallComparison:
    """Least squares over blocks: watts at the wall = idle + factor x watts of the run.

    StudyError if the log is not of the same time, or does not show the run and the time beside it.
    """
    edges = np.arange(wall.moments[0], wall.moments[-1] + wall.block_s / 2, wall.block_s)
    shown, n_samples = _mean_watts(wall, edges)
    whole = n_samples > 0
    cpu_j, cpu_s = (
        _spread(rows, edges, amounts=[row.cpu_j for row in rows]),
        _spread(rows, edges, amounts=[row.cpu_s for row in rows]),
    )
    other_w = _spread(rows, edges, amounts=[row.ram_j + row.gpu_j for row in rows]) / wall.block_s
    run_s = _spread(rows, edges, amounts=[row.duration_s for row in rows])
    own_w = cpu_j / wall.block_s + other_w
    busy = own_w > own_w.max(initial=0.0) / 2
    if min(whole.sum(), 2 * (busy & whole).sum(), 2 * (~busy & whole).sum()) < MIN_BLOCKS:
        raise StudyError(
            f"{int((busy & whole).sum())} blocks of {wall.block_s:g} s with the run and {int((~busy & whole).sum())} "
            f"without it are too few to compare",
            HOW,
        )
    idle, factor = _line(own_w[whole], shown[whole])
    _, per_thread = _line(cpu_s[whole] / wall.block_s, (shown - other_w)[whole])
    return WallComparison(
        idle_w=idle,
        factor=factor,
        watts_per_thread=per_thread,
        n_blocks=int(whole.sum()),
        block_s=wall.block_s,
        run_s=float(run_s[whole].sum()),
    )


def _mean_watts(wall: WallLog, edges: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean of the samples in each block, and their number."""
    n, _ = np.histogram(wall.moments, edges)
    total, _ = np.histogram(wall.moments, edges, weights=wall.watts)
    return total / np.maximum(n, 1), n.astype(float)


def _spread(rows: Sequence[PowerRow], edges: FloatArray, *, amounts: Sequence[float]) -> FloatArray:
    """The amount of each row, spread evenly over its interval, by block."""
    result = np.zeros(len(edges) - 1)
    for row, amount in zip(rows, amounts, strict=True):
        if row.duration_s > 0:
            shares = np.clip(edges, row.start, row.end)
            result += amount * np.diff(shares) / row.duration_s
    return result


def _line(x: FloatArray, y: FloatArray) -> tuple[Estimate, Estimate]:
    """Intercept and slope by least squares."""
    from scipy.stats import linregress

    fit = linregress(x, y)
    intercept = Estimate(value=float(fit.intercept), se=float(fit.intercept_stderr))
    return intercept, Estimate(value=float(fit.slope), se=float(fit.stderr))
