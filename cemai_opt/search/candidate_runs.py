"""The runs of a front candidate on the folds that confirm it, and what they say about its score and cost."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cemai_opt.core.measurement import Cost, Measurement, repeated
from cemai_opt.core.objective import objective_j
from cemai_opt.core.result import Confirmation, ScoredRows, TrialResult
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.pipeline.validation import PooledScore, pooled_score

MIN_RUNS = 2
ENOUGH = 0.02
"""Relative standard error of the mean joules at which a candidate is not measured again."""


@dataclass(kw_only=True)
class CandidateRuns:
    """Runs of `searched`, the trial as the search has left it; the first `n_folds` of them are on one fold each."""

    searched: TrialResult
    study: ResolvedStudy
    runs: list[TrialResult] = field(default_factory=list)
    parts: list[ScoredRows] = field(default_factory=list)
    """The scored rows of each fold, if runs keep them."""
    n_folds: int = 0
    pooled: PooledScore | None = None
    """The score of all folds together."""

    def add_fold(self, run: TrialResult, part: ScoredRows | None) -> None:
        """A complete run on the next fold."""
        self.runs.append(run)
        self.n_folds += 1
        if part is not None:
            self.parts.append(part)
            self.pooled = pooled_score(self.parts, self.study)

    @property
    def cost_j(self) -> float:
        """The mean objective of its runs, J."""
        return statistics.fmean(self._joules)

    @property
    def is_uncertain(self) -> bool:
        """Whether the mean joules may still change by more than `ENOUGH`: runs of seconds differ less."""
        if len(self.runs) < MIN_RUNS:
            return True
        return statistics.stdev(self._joules) / math.sqrt(len(self.runs)) > ENOUGH * self.cost_j

    @property
    def _joules(self) -> tuple[float, ...]:
        return tuple(objective_j(self.study.objective, run) for run in self.runs)

    def result(self, of: int) -> TrialResult:
        """The trial with the mean cost of all runs and, if it has run on `of` folds, the score of the first `of`."""
        measured = replace(
            self.searched,
            cost=repeated([run.cost for run in self.runs]),
            inference=_mean_inference(self.runs),
            factor=1.0,
            repeats_j=self._joules,
            foreign_load=max(run.foreign_load for run in self.runs),
        )
        kept = Confirmation(searched=self.searched.score or 0.0, folds=min(self.n_folds, of), n_folds=of)
        if self.pooled is None or self.n_folds < of:
            return replace(measured, confirmation=kept)
        pooled = self.pooled if self.n_folds == of else pooled_score(self.parts[:of], self.study)
        return replace(
            measured,
            score=pooled.score,
            metrics=pooled.metrics,
            threshold=pooled.threshold,
            confirmation=replace(kept, error=pooled.error, without=pooled.without, dof=pooled.dof),
        )


def _mean_inference(runs: Sequence[TrialResult]) -> Measurement | None:
    """The mean cost of 1,000 predictions over runs that measured it."""
    measured = [Cost((run.inference,)) for run in runs if run.inference is not None]
    return repeated(measured).rows[0] if measured else None
