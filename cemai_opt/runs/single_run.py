"""The result of running one pipeline: its test score, and the cost of each stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cemai_opt.core.result import TrialResult
from cemai_opt.core.scores import maximised
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.runs.front_member import StageCost, stage_costs


@dataclass(frozen=True, kw_only=True)
class SingleRun:
    """One pipeline, trained on training and validation rows and scored on the test rows."""

    score: str
    test: float
    metrics: Mapping[str, float]
    model: str
    energy_j: float
    carbon_g: float
    uncertainty_g: float
    duration_s: float
    stages: Mapping[str, StageCost]
    importances: Mapping[str, float]
    source: str

    @property
    def total(self) -> StageCost:
        """The cost of all stages together."""
        return StageCost(
            energy_j=self.energy_j,
            carbon_g=self.carbon_g,
            uncertainty_g=self.uncertainty_g,
            duration_s=self.duration_s,
        )

    @staticmethod
    def of(study: ResolvedStudy, result: TrialResult) -> SingleRun:
        """The run of a complete result."""
        assert result.score is not None, "a complete trial has a score"
        return SingleRun(
            score=maximised(study.score),
            test=result.score,
            metrics=dict(result.metrics),
            model=result.model,
            energy_j=result.cost.energy_j,
            carbon_g=study.carbon.grams(result.cost.energy_j),
            uncertainty_g=study.carbon.grams(result.cost.uncertainty_j),
            duration_s=result.cost.duration_s,
            stages=stage_costs(study.carbon, result.cost),
            importances=dict(result.importances),
            source=result.cost.rows[0].source,
        )
