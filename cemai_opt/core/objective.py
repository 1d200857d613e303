"""The second objective of a trial: the joules or grams that count."""

from __future__ import annotations

import math

from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.result import TrialResult
from cemai_opt.core.study import ObjectiveSpec, ResolvedStudy

PREDICTIONS = 1000.0
"""Number of predictions that a measurement of inference energy refers to."""


def objective_j(spec: ObjectiveSpec, result: TrialResult) -> float:
    """Joules that the objective counts: of one run, of its training, of 1,000 predictions, or of a year."""
    return objective_of(spec, result.cost, inference=result.inference)


def objective_of(spec: ObjectiveSpec, cost: Cost, *, inference: Measurement | None) -> float:
    """Joules that the objective counts, given the cost of one run and the cost of 1,000 predictions."""
    return math.fsum(weight * joules for weight, joules, _ in _terms(spec, cost, inference=inference))


def objective_uncertainty_j(spec: ObjectiveSpec, result: TrialResult) -> float:
    """Standard uncertainty of `objective_j`."""
    return math.sqrt(
        math.fsum(
            (weight * uncertainty) ** 2
            for weight, _, uncertainty in _terms(spec, result.cost, inference=result.inference)
        )
    )


def objective_g(study: ResolvedStudy, result: TrialResult) -> float:
    """Grams that the objective counts."""
    return study.carbon.grams(objective_j(study.objective, result))


def objective_uncertainty_g(study: ResolvedStudy, result: TrialResult) -> float:
    """Standard uncertainty of `objective_g`."""
    return study.carbon.grams(objective_uncertainty_j(study.objective, result))


def objective_unit(spec: ObjectiveSpec) -> str:
    """The unit of the objective's grams.

    >>> objective_unit(ObjectiveSpec(of="inference"))
    'gCO2eq per 1,000 predictions'
    """
    suffix = {"inference": " per 1,000 predictions", "lifecycle": " per year"}
    return f"gCO2eq{suffix.get(spec.of, '')}"


def _terms(spec: ObjectiveSpec, cost: Cost, *, inference: Measurement | None) -> list[tuple[float, float, float]]:
    """Weight, joules and uncertainty of each term of the objective."""
    per_1000 = (inference.total_j, inference.uncertainty_j) if inference is not None else (0.0, 0.0)
    if spec.of == "train":
        return [(1.0, row.total_j, row.uncertainty_j) for row in cost.rows if row.stage == "train"]
    if spec.of == "inference":
        return [(1.0, *per_1000)]
    if spec.of == "lifecycle":
        yearly = spec.predictions_per_year / PREDICTIONS
        return [(spec.retrains_per_year, cost.energy_j, cost.uncertainty_j), (yearly, *per_1000)]
    return [(1.0, cost.energy_j, cost.uncertainty_j)]
