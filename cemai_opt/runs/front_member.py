"""A front member: one pipeline on the Pareto front, with its scores, its cost by stage and its configuration."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cemai_opt.core.average import Part
from cemai_opt.core.jackknife import coverage_factor
from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.objective import objective_g, objective_j, objective_uncertainty_g
from cemai_opt.core.plan import JsonConfig
from cemai_opt.core.result import NOISY_LOAD, TrialResult
from cemai_opt.core.study import ResolvedCarbon, ResolvedStudy


@dataclass(frozen=True, kw_only=True)
class StageCost:
    """Energy, grams and seconds of one stage of one run."""

    energy_j: float
    carbon_g: float
    uncertainty_g: float
    duration_s: float


def stage_costs(carbon: ResolvedCarbon, cost: Cost) -> dict[str, StageCost]:
    """The cost of each stage; with the overhead row they add up to the total."""
    return {
        row.stage: StageCost(
            energy_j=row.total_j,
            carbon_g=carbon.grams(row.total_j),
            uncertainty_g=carbon.grams(row.uncertainty_j),
            duration_s=row.duration_s,
        )
        for row in cost.rows
    }


@dataclass(frozen=True, kw_only=True)
class FinalTest:
    """A front member trained once more on training and validation rows, and scored on the test rows."""

    metrics: Mapping[str, float]
    energy_j: float
    carbon_g: float
    stages: Mapping[str, StageCost]
    importances: Mapping[str, float]
    reason: str = ""
    """Why there is no test score; empty if there is one."""


@dataclass(frozen=True, kw_only=True, repr=False)
class FrontMember:
    """One pipeline on the Pareto front: its scores, the cost of one run of it, and its configuration.

    `carbon_g` is the objective, with its standard uncertainty `uncertainty_g`; `retraining_g` is the cost of one run
    for any objective. `deviation_g` is the standard deviation over `repeats` measurements. An average of members has
    `parts`, no trial of its own, and the sum of their costs.
    """

    trial: int
    parent: int | None = None
    host: str = ""
    model: str
    validation: float
    error: float = 0.0
    """Standard error of `validation`, the score over all folds that confirm it; 0 if it was not confirmed."""
    error_dof: int = 0
    """Degrees of freedom of `error`."""
    searched: float | None = None
    """Its score in the search."""
    is_convincing: bool = True
    """Whether it is better than the untuned baseline and a constant prediction by more than the uncertainty.

    Only then it is recommended.
    """
    test: float | None = None
    carbon_g: float
    energy_j: float
    uncertainty_g: float
    retraining_g: float
    inference_g_per_1000: float | None = None
    duration_s: float
    repeats: int = 0
    deviation_g: float | None = None
    foreign_load: float = 0.0
    stages: Mapping[str, StageCost]
    config: JsonConfig
    ties: tuple[int, ...] = ()
    """Trials whose grams do not differ significantly from these."""
    score_ties: tuple[int, ...] = ()
    """Trials whose scores do not differ significantly from this one's, on the folds that confirm them."""
    final: FinalTest | None = None
    parts: tuple[Part, ...] = ()

    def __repr__(self) -> str:
        test = "" if self.test is None else f", test={self.test:.3f}"
        return f"<FrontMember {self.label}: validation={self.validation:.3f}{test}, carbon_g={self.carbon_g:.3g}>"

    @property
    def name(self) -> str:
        """The trial and its model, or what an average consists of."""
        return f"the average {self.formula}" if self.parts else f"trial {self.trial} ({self.model})"

    @property
    def label(self) -> str:
        """A short name: the trial and its model, or "average"."""
        return self.model if self.parts else f"trial {self.trial} {self.model}"

    @property
    def formula(self) -> str:
        """An average as a sum over trial numbers; empty for a single pipeline."""
        return " + ".join(f"{part.weight:.2f} x {part.trial}" for part in self.parts)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % confidence interval of `validation`, which no score exceeds 1 in; None if it was not confirmed."""
        if not self.error_dof:
            return None
        half = coverage_factor(self.error_dof) * self.error
        return self.validation - half, min(self.validation + half, 1.0)

    @property
    def threshold(self) -> float | None:
        """The decision threshold that was chosen on validation predictions, if any."""
        threshold = self.config.params("evaluate").get("threshold")
        return None if threshold is None else float(threshold)

    @property
    def is_noisy(self) -> bool:
        """Whether there was too much foreign load during its measurement."""
        return self.foreign_load > NOISY_LOAD

    @property
    def importances(self) -> Mapping[str, float]:
        """Share of each variable in the predictions; empty if the member was not explained."""
        return self.final.importances if self.final is not None else {}

    def stage_g(self, stage: str) -> float:
        """Grams of one stage; 0 if it did not run."""
        return self.stages[stage].carbon_g if stage in self.stages else 0.0

    @staticmethod
    def of(
        study: ResolvedStudy,
        result: TrialResult,
        *,
        final: TrialResult | None,
        ties: Sequence[int] = (),
        parts: tuple[Part, ...] = (),
        is_convincing: bool = True,
    ) -> FrontMember:
        """The front member of a complete trial, or of an average of `parts`; `final` is its test, if it was tested."""
        carbon = study.carbon
        inference: Measurement | None = result.inference or (final.inference if final else None)
        assert result.score is not None, "a front member is a complete trial"
        return FrontMember(
            trial=result.trial,
            parent=result.parent,
            host=result.host,
            model=result.model,
            validation=result.score,
            error=result.score_error,
            error_dof=result.confirmation.dof if result.confirmation is not None else 0,
            searched=result.searched_score,
            is_convincing=is_convincing,
            test=final.score if final else None,
            carbon_g=objective_g(study, result),
            energy_j=objective_j(study.objective, result),
            uncertainty_g=objective_uncertainty_g(study, result),
            retraining_g=carbon.grams(result.cost.energy_j),
            inference_g_per_1000=carbon.grams(inference.total_j) if inference else None,
            duration_s=result.cost.duration_s,
            repeats=len(result.repeats_j),
            deviation_g=carbon.grams(statistics.stdev(result.repeats_j)) if len(result.repeats_j) > 1 else None,
            foreign_load=result.foreign_load,
            stages=stage_costs(carbon, result.cost),
            config=result.final_config,
            ties=tuple(ties),
            final=_final_test(carbon, final) if final else None,
            parts=parts,
        )


def _final_test(carbon: ResolvedCarbon, final: TrialResult) -> FinalTest:
    return FinalTest(
        metrics=dict(final.metrics),
        energy_j=final.cost.energy_j,
        carbon_g=carbon.grams(final.cost.energy_j),
        stages=stage_costs(carbon, final.cost),
        importances=dict(final.importances),
        reason=final.reason,
    )
