"""The cost of one stage: duration, joules by device, uncertainty, source."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated

from cemai_opt.core.serialization import bare

OVERHEAD = "overhead"
"""Name of the row with the energy that a trial spent between its stages, so that the rows add up to the total."""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Cost of one stage. `energy_j` maps a device ("cpu", "gpu0") to joules."""

    stage: str
    duration_s: float
    cpu_s: float
    energy_j: Mapping[str, float]
    uncertainty_j: float
    source: str

    @property
    def total_j(self) -> float:
        """Joules of all devices together."""
        return math.fsum(self.energy_j.values())


@dataclass(frozen=True)
class Cost:
    """Rows of one pipeline run, including the overhead row: their sum is the cost of the run.

    Its JSON form is the list of rows.
    """

    rows: tuple[Measurement, ...] = field(default=())

    @cached_property
    def energy_j(self) -> float:
        """Joules of all rows."""
        return math.fsum(row.total_j for row in self.rows)

    @cached_property
    def duration_s(self) -> float:
        """Seconds of all rows."""
        return math.fsum(row.duration_s for row in self.rows)

    @property
    def uncertainty_j(self) -> float:
        """Standard uncertainty of the total: attribution errors are correlated, so the rows' uncertainties add up."""
        return math.fsum(row.uncertainty_j for row in self.rows)


JsonCost = Annotated[Cost, *bare(Cost, "rows", inner=tuple[Measurement, ...])]
"""A cost as a field of a record."""


def repeated(costs: Sequence[Cost]) -> Cost:
    """The mean of equal runs, with the uncertainty of the mean: standard error and meter's uncertainty in quadrature.

    The meter's own uncertainty does not decrease with repeats, because the error of attribution is the same each time.
    """
    mean = mean_of(costs)
    rows = []
    for row in mean.rows:
        own = [r for cost in costs for r in cost.rows if r.stage == row.stage]
        spread_j = statistics.stdev(r.total_j for r in own) / math.sqrt(len(own)) if len(own) > 1 else 0.0
        meter_j = statistics.fmean(r.uncertainty_j for r in own)
        rows.append(replace(row, uncertainty_j=math.hypot(spread_j, meter_j)))
    return Cost(tuple(rows))


def _combined(rows: Sequence[Measurement], share: float) -> Measurement:
    devices = dict.fromkeys(device for row in rows for device in row.energy_j)
    return Measurement(
        stage=rows[0].stage,
        duration_s=share * math.fsum(row.duration_s for row in rows),
        cpu_s=share * math.fsum(row.cpu_s for row in rows),
        energy_j={d: share * math.fsum(row.energy_j.get(d, 0.0) for row in rows) for d in devices},
        uncertainty_j=share * math.fsum(row.uncertainty_j for row in rows),
        source=rows[0].source,
    )


def _by_stage(costs: Sequence[Cost], share: float) -> Cost:
    names = dict.fromkeys(row.stage for cost in costs for row in cost.rows)
    return Cost(
        tuple(_combined([row for cost in costs for row in cost.rows if row.stage == name], share) for name in names)
    )


def sum_of(costs: Sequence[Cost]) -> Cost:
    """All costs added up, stage by stage."""
    return _by_stage(costs, 1.0)


def mean_of(costs: Sequence[Cost]) -> Cost:
    """The mean cost of several runs (such as the folds of a trial), stage by stage."""
    return _by_stage(costs, 1.0 / len(costs))
