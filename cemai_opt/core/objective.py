"""The second number of a trial: which of its joules count, for what."""

from __future__ import annotations

import math

from cemai_opt.core.front import Wanted
from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.result import TrialResult
from cemai_opt.core.spec import ObjectiveSpec, StudySpec

PREDICTIONS = 1000.0
"""Predictions that one reading of inference energy stands for."""


def objective_j(spec: ObjectiveSpec, result: TrialResult) -> float:
    """Joules that the objective counts: of one run, of its training, of 1,000 predictions, or of a year."""
    return objective_of(spec, result.cost, result.inference)


def objective_of(spec: ObjectiveSpec, cost: Cost, inference: Measurement | None) -> float:
    """The same of a run's cost, and of the cost of 1,000 predictions."""
    return math.fsum(weight * joules for weight, joules, _ in _terms(spec, cost, inference))


def objective_uncertainty_j(spec: ObjectiveSpec, result: TrialResult) -> float:
    """Standard uncertainty of `objective_j`."""
    return math.sqrt(
        math.fsum((weight * uncertainty) ** 2 for weight, _, uncertainty in _terms(spec, result.cost, result.inference))
    )


def objective_g(study: StudySpec, result: TrialResult) -> float:
    """Grams that the objective counts."""
    return study.carbon.grams(objective_j(study.objective, result))


def wanted_of(study: StudySpec) -> Wanted:
    """What a pipeline must keep to be of use, by the study's own words."""
    max_g, min_score = study.search.max_carbon_g, study.search.min_score
    return Wanted(math.inf if max_g is None else max_g, -math.inf if min_score is None else min_score)


def objective_unit(spec: ObjectiveSpec) -> str:
    """What the grams are grams of.

    >>> objective_unit(ObjectiveSpec(of="inference"))
    'gCO2eq per 1,000 predictions'
    """
    suffix = {"inference": " per 1,000 predictions", "lifecycle": " per year"}
    return f"gCO2eq{suffix.get(spec.of, '')}"


def _terms(spec: ObjectiveSpec, cost: Cost, inference: Measurement | None) -> list[tuple[float, float, float]]:
    """Weight, joules and uncertainty of each part of the objective."""
    per_1000 = (inference.total_j, inference.uncertainty_j) if inference is not None else (0.0, 0.0)
    if spec.of == "train":
        return [(1.0, row.total_j, row.uncertainty_j) for row in cost.rows if row.stage == "train"]
    if spec.of == "inference":
        return [(1.0, *per_1000)]
    if spec.of == "lifecycle":
        yearly = spec.predictions_per_year / PREDICTIONS
        return [(spec.retrains_per_year, cost.energy_j, cost.uncertainty_j), (yearly, *per_1000)]
    return [(1.0, cost.energy_j, cost.uncertainty_j)]
