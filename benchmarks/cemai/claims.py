"""What CEMAI's slides say, computed for records of measurements and for the slides' own table."""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cemai_opt.core.table_spec import WITH_FEATURES
from cemai_opt.runs.measured import MeasuredPipeline, MeasuredRecord

SLIDES = Path(__file__).parent / "slides.csv"
"""Husom, Sen, Goknil, CAIN 2024, slides: grams of the Broaching case by stage, with the printed totals."""
ADEQUATE = 0.05
"""A pipeline is adequate if its score is this close to the best of its table."""
ROUNDING_G = 0.001
"""Totals that differ from the sum of their stages by less are rounded."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A pipeline of a table: joules (or grams) by stage, and its score."""

    label: str
    stages: Mapping[str, float]
    score: float

    @property
    def total(self) -> float:
        """The sum of all stages."""
        return math.fsum(self.stages.values())


@dataclass(frozen=True, kw_only=True)
class FeatureEffect:
    """A model's total with feature engineering relative to that without, and on few rows relative to all of them."""

    label: str
    ratio: float
    few_rows_ratio: float | None
    score_gain: float


def rows_of(record: MeasuredRecord) -> list[Row]:
    """The pipelines of a record that have a score."""
    return [
        Row(label=p.label, stages={row.stage: row.total_j for row in p.cost.rows}, score=p.score)
        for p in record.pipelines
        if p.score is not None
    ]


def slides() -> tuple[list[Row], dict[str, float]]:
    """The slides' table, and the totals that they print."""
    with SLIDES.open(encoding="utf-8") as stream:
        lines = list(csv.DictReader(stream))
    printed = {line["model"]: float(line["total"]) for line in lines}
    rows = [
        Row(
            label=line["model"],
            stages={name: float(value) for name, value in line.items() if name not in ("model", "total", "r2")},
            score=float(line["r2"]),
        )
        for line in lines
    ]
    return rows, printed


def wrong_totals() -> dict[str, tuple[float, float]]:
    """Rows of the slides whose printed total is not the sum of their stages: sum and printed total."""
    rows, printed = slides()
    return {r.label: (r.total, printed[r.label]) for r in rows if abs(r.total - printed[r.label]) > ROUNDING_G}


def largest_stages(rows: Sequence[Row]) -> dict[str, tuple[int, float]]:
    """Number of rows in which a stage is the largest, and the median of its share, by stage, most frequent first."""
    names = dict.fromkeys(stage for row in rows for stage in row.stages)
    n_largest = {name: sum(max(row.stages, key=row.stages.__getitem__) == name for row in rows) for name in names}
    shares = {name: statistics.median(row.stages.get(name, 0.0) / row.total for row in rows) for name in names}
    return {name: (n_largest[name], shares[name]) for name in sorted(names, key=lambda n: (-n_largest[n], -shares[n]))}


def feature_effects(rows: Sequence[Row]) -> list[FeatureEffect]:
    """What feature engineering did to each model that has both rows."""
    by_label = {row.label: row for row in rows}
    effects = []
    for row in rows:
        engineered = by_label.get(f"{row.label}{WITH_FEATURES}")
        if engineered is None:
            continue
        few = next((r for r in rows if r.label.startswith(f"{row.label}{WITH_FEATURES} ")), None)
        effects.append(
            FeatureEffect(
                label=row.label,
                ratio=engineered.total / row.total,
                few_rows_ratio=None if few is None else few.total / engineered.total,
                score_gain=engineered.score - row.score,
            )
        )
    return effects


def greenest_adequate(rows: Sequence[Row]) -> Row:
    """The cheapest of the pipelines whose score is within `ADEQUATE` of the best."""
    best = max(row.score for row in rows)
    return min((row for row in rows if row.score >= best - ADEQUATE), key=lambda row: row.total)


def deviations(pipelines: Sequence[MeasuredPipeline]) -> list[float]:
    """Relative standard deviation of the joules of equal runs, one per pipeline that was measured repeatedly."""
    totals = [[cost.energy_j for cost in pipeline.costs] for pipeline in pipelines if len(pipeline.costs) > 1]
    return [statistics.stdev(joules) / statistics.fmean(joules) for joules in totals]
