"""All results of a run, with the front and the summary computed from them, each computed once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from cemai_opt.core.average import Average
from cemai_opt.core.front import ParetoFront, Point, hypervolume_history
from cemai_opt.core.ledger_entry import LedgerEntry, joules_by
from cemai_opt.core.objective import objective_g, objective_uncertainty_g, objective_unit
from cemai_opt.core.result import TrialResult
from cemai_opt.core.scores import maximised
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.runs.dummy import DummyScore
from cemai_opt.runs.footprint import Footprint, FootprintTotals
from cemai_opt.runs.front import FrontSearch, RunFront, TrialCounts, beats, counts_of, is_convincing, score_ties_of
from cemai_opt.runs.front_member import FrontMember
from cemai_opt.runs.machine import library_versions, this_machine
from cemai_opt.runs.summary import CarbonBy, HypervolumePoint, MeasuringConditions, RunSummary, SearchSummary


@dataclass(frozen=True, kw_only=True)
class TrialLine(TrialResult):
    """One line of `trials.jsonl`: a result, and its grams for readers and other programs."""

    carbon_g: float | None = None
    uncertainty_g: float | None = None
    noisy: bool = False
    spent_g: float = 0.0
    driver_j: float = 0.0
    """Joules that the driver had spent outside all trials when the line was written."""

    @staticmethod
    def of(study: ResolvedStudy, result: TrialResult, *, driver_j: float) -> TrialLine:
        """The line of a finished trial."""
        return TrialLine(
            **_values_of(result),
            carbon_g=objective_g(study, result) if result.is_complete else None,
            uncertainty_g=objective_uncertainty_g(study, result) if result.is_complete else None,
            noisy=result.is_noisy,
            spent_g=study.carbon.grams(result.spent.energy_j),
            driver_j=driver_j,
        )

    @property
    def result(self) -> TrialResult:
        """The result in the line."""
        return TrialResult(**_values_of(self))


def _values_of(result: TrialResult) -> dict[str, Any]:
    return {field.name: getattr(result, field.name) for field in fields(TrialResult)}


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """All results of a run."""

    study: ResolvedStudy
    results: Sequence[TrialResult]
    finals: Mapping[int, TrialResult] = field(default_factory=dict)
    spent: Sequence[LedgerEntry] = ()
    baseline: int | None = None
    """The baseline trial, which stands for "no search" and is tested along with the front."""
    average: Average | None = None
    """The best average of the members, whether or not it is better than the best of them."""
    dummy: DummyScore | None = None
    """The score of a constant prediction; None in runs of earlier versions."""
    footprints: Sequence[Footprint] = ()
    """One for each session of this run."""
    ended: str = ""
    notes: Sequence[str] = ()

    @cached_property
    def points(self) -> list[Point]:
        """Complete trials that satisfy the constraints, with their scores in the search; repeats are left out."""
        return self._feasible(self.results, is_searched=True)

    def _feasible(self, results: Sequence[TrialResult], *, is_searched: bool = False) -> list[Point]:
        """Complete results that satisfy the constraints, in the plane of the objectives."""
        constraints = self.study.constraints
        scored = [
            (result, result.searched_score if is_searched else result.score)
            for result in results
            if result.is_complete and not result.is_repeat
        ]
        points = [Point(r.trial, score, objective_g(self.study, r)) for r, score in scored if score is not None]
        return [point for point in points if constraints.violation(point) <= 0.0]

    @cached_property
    def spent_g(self) -> float:
        """Grams of everything that ran, and of the driver."""
        return self.study.carbon.grams(math.fsum(entry.energy_j for entry in self.spent))

    @cached_property
    def pareto(self) -> ParetoFront:
        """Non-dominated trials: of those whose scores are confirmed, or of all complete ones if there are none."""
        confirmed = [result for result in self.results if result.is_confirmed]
        return ParetoFront.of(self._feasible(confirmed or self.results))

    @cached_property
    def hypervolumes(self) -> list[float]:
        """Hypervolume after each of `points`."""
        return hypervolume_history(self.points)

    @cached_property
    def counts(self) -> TrialCounts:
        """The number of trials by state."""
        return counts_of(self.results)

    @cached_property
    def front(self) -> RunFront:
        """The contents of `front.json`."""
        by_trial = {result.trial: result for result in self.results}
        ties = self.pareto.ties({p.trial: objective_uncertainty_g(self.study, by_trial[p.trial]) for p in self.pareto})

        score_ties = score_ties_of([by_trial[point.trial] for point in self.pareto])
        untuned = None if self.baseline is None else by_trial[self.baseline]

        def member(trial: int, ties: Sequence[int] = ()) -> FrontMember:
            result = by_trial[trial]
            is_better = untuned is None or trial == untuned.trial or is_convincing(result, untuned, study=self.study)
            is_better = is_better and beats(result, self.dummy)
            found = FrontMember.of(self.study, result, final=self.finals.get(trial), ties=ties, is_convincing=is_better)
            return replace(found, score_ties=tuple(score_ties[trial]) if trial in score_ties else ())

        front = RunFront(
            score=maximised(self.study.score),
            unit=objective_unit(self.study.objective),
            knee_trial=None,
            tolerance=self.study.search.tolerance,
            members=tuple(member(point.trial, ties[point.trial]) for point in self.pareto),
            payback=(),
            average=self._kept_average,
            baseline=None if self.baseline is None else member(self.baseline),
            dummy=self.dummy,
            search=FrontSearch(
                **vars(self.counts),
                carbon_g=self.spent_g,
                hypervolume=self.hypervolumes[-1] if self.hypervolumes else 0.0,
            ),
        )
        return front.decided()

    @property
    def average_gain(self) -> float:
        """What the average adds to the best validation score; 0 without an average of the present members."""
        average, present = self.average, {point.trial for point in self.pareto}
        if average is None or average.validated.score is None or not present.issuperset(average.candidates):
            return 0.0
        return average.validated.score - self.pareto.best.score

    @property
    def average_line(self) -> str:
        """Whether there is an average, and why, in words."""
        assert self.average is not None, "no average was tried"
        if self.average_gain <= 0.0:
            return "no average of front members is better than the best of them"
        tolerance, gain = self.study.search.tolerance, self.average_gain
        text = f"an average of {len(self.average.parts)} front members adds {gain:.4f} to the best validation score"
        if self._kept_average is not None:
            return f"{text}: kept beside the front (--pick average)"
        why = f"no more than the tolerance of {tolerance:g}" if gain <= tolerance else "it breaks a constraint"
        return f"{text}: left out, {why}"

    @property
    def _kept_average(self) -> FrontMember | None:
        """The average, if it is better than the best member by more than the tolerance and satisfies constraints."""
        if self.average is None or self.average_gain <= self.study.search.tolerance:
            return None
        validated, parts = self.average.validated, self.average.parts
        member = FrontMember.of(self.study, validated, final=self.average.tested, parts=parts)
        point = Point(member.trial, member.validation, member.carbon_g)
        return member if self.study.constraints.violation(point) <= 0.0 else None

    @cached_property
    def summary(self) -> RunSummary:
        """The contents of `summary.json`."""
        carbon = self.study.carbon
        ran = [result for result in self.results if result.has_run]

        def grams_by(key: str) -> dict[str, float]:
            return {name: carbon.grams(joules) for name, joules in joules_by(key, self.spent).items()}

        return RunSummary(
            study=self.study.name,
            ended=self.ended,
            notes=tuple(self.notes),
            search=SearchSummary(
                **vars(self.counts),
                energy_j=math.fsum(entry.energy_j for entry in self.spent),
                carbon_g=self.spent_g,
                carbon_g_by=CarbonBy(entry=grams_by("entry"), model=grams_by("model"), stage=grams_by("stage")),
                payback=self.front.payback,
                ledger=tuple(self.spent),
                hypervolume=self.front.search.hypervolume,
                hypervolume_history=tuple(
                    HypervolumePoint(trial=point.trial, hypervolume=value)
                    for point, value in zip(self.points, self.hypervolumes, strict=True)
                ),
            ),
            carbon=MeasuringConditions(
                intensity_g_per_kwh=carbon.intensity_g_per_kwh,
                pue=carbon.pue,
                sources=tuple(sorted({row.source for result in ran for row in result.cost.rows})),
            ),
            footprint=FootprintTotals.of(self.footprints),
            machine=this_machine(),
            versions=dict(library_versions()),
        )
