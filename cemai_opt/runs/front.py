"""The front of a run: its members, and the rules that pick one of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated

from pydantic import Field

from cemai_opt.core.average import AVERAGE
from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.front import TIE_FACTOR, ParetoFront, Point
from cemai_opt.core.jackknife import coverage_factor, error_of_difference
from cemai_opt.core.objective import objective_g, objective_uncertainty_g
from cemai_opt.core.result import COMPLETE, FAILED, PRUNED, TrialResult
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.models import MODELS
from cemai_opt.runs.dummy import DummyScore
from cemai_opt.runs.front_member import FrontMember
from cemai_opt.runs.payback import Payback

MAX_LOSS = 0.02
"""A greener pipeline is recommended if its score is, with 95 % confidence, at most this much below the baseline's."""
FEW_DOF = 3
"""Degrees of freedom of four groups. With fewer, nothing shows how a model extrapolates to another group."""
GREENEST = "greenest"
"""The rule that also picks what is not recommended."""
RULES = ("knee", "best", "within", GREENEST)
"""Names of the rules that pick a front member."""


@dataclass(frozen=True, kw_only=True)
class TrialCounts:
    """Number of trials that ran, by state, and number of results without a run of their own."""

    trials: int
    complete: int
    pruned: int
    failed: int
    curve_candidates: Annotated[int, Field(alias="harvested")]
    """Smaller models on learning curves that count as trials."""
    not_run: int
    repeats: int


def counts_of(results: Sequence[TrialResult]) -> TrialCounts:
    """Counts over the results of a run."""
    ran = [result for result in results if result.has_run]
    by_state = {state: sum(result.state == state for result in ran) for state in (COMPLETE, PRUNED, FAILED)}
    return TrialCounts(
        trials=len(ran),
        complete=by_state[COMPLETE],
        pruned=by_state[PRUNED],
        failed=by_state[FAILED],
        curve_candidates=sum(r.parent is not None and not r.is_repeat for r in results),
        not_run=sum(r.is_skipped for r in results),
        repeats=sum(r.is_repeat for r in results),
    )


@dataclass(frozen=True, kw_only=True)
class FrontSearch(TrialCounts):
    """Key figures of the search that found a front."""

    carbon_g: float
    hypervolume: float


@dataclass(frozen=True, kw_only=True)
class RunFront:
    """The contents of `front.json`: members, greenest first; the recommended one is at the knee."""

    score: str
    unit: str
    knee_trial: Annotated[int | None, Field(alias="knee")]
    tolerance: float
    members: tuple[FrontMember, ...]
    payback: tuple[Payback, ...]
    baseline: FrontMember | None
    """The baseline without a search: the best of the untuned configurations whose scores were confirmed."""
    search: FrontSearch
    dummy: DummyScore | None = None
    """The score of a constant prediction; None in runs of earlier versions."""
    average: FrontMember | None = None
    """An average of members whose score is better than that of the best one by more than the tolerance."""

    def __len__(self) -> int:
        return len(self.members)

    @cached_property
    def pareto(self) -> ParetoFront:
        """The members as points, for picking by rule."""
        return ParetoFront.of(Point(m.trial, m.validation, m.carbon_g) for m in self.members)

    @cached_property
    def recommended(self) -> ParetoFront:
        """What the rules pick from, scores less one standard error: the baseline, and what is better than that.

        It is empty if nothing is better than a constant prediction.
        """
        return ParetoFront.of(Point(m.trial, m.validation - m.error, m.carbon_g) for m in self.good.values())

    @cached_property
    def good(self) -> Mapping[int, FrontMember]:
        """What may be recommended, by trial: the baseline and what is better, if it beats a constant prediction."""
        return {trial: member for trial, member in self._pipelines.items() if member.is_convincing}

    @cached_property
    def by_trial(self) -> Mapping[int, FrontMember]:
        """Members by trial number."""
        return {member.trial: member for member in self.members}

    @cached_property
    def _pipelines(self) -> Mapping[int, FrontMember]:
        """What can be picked, by trial number: the members and the baseline."""
        return ({self.baseline.trial: self.baseline} if self.baseline is not None else {}) | dict(self.by_trial)

    def decided(self) -> RunFront:
        """The front with its knee and its paybacks."""
        if not self.members or not len(self.recommended):
            return self
        decided = replace(self, knee_trial=self.recommended.knee.trial)
        return replace(decided, payback=paybacks_of(decided))

    @property
    def knee(self) -> FrontMember | None:
        """The recommended pipeline; None if none is."""
        return None if self.knee_trial is None else self._pipelines.get(self.knee_trial)

    @property
    def best(self) -> FrontMember | None:
        """The pipeline with the best score less one standard error; None if none is recommended."""
        return self._pipelines[self.recommended.best.trial] if len(self.recommended) else None

    @property
    def table_members(self) -> list[FrontMember]:
        """The rows of a table: members, their average, then the baseline unless it is a member itself."""
        beside = [self.average, None if self.baseline and self.baseline.trial in self.by_trial else self.baseline]
        return [*self.members, *(member for member in beside if member is not None)]

    @property
    def picks(self) -> dict[int, str]:
        """The rules that pick each member, by trial: "knee", "best", "within 0.01", "greenest"."""
        if not self.members:
            return {}
        rules = RULES if len(self.recommended) else (GREENEST,)
        picks = dict[int, list[str]]()
        for rule in rules:
            shown = f"within {self.tolerance:g}" if rule == "within" else rule
            picks.setdefault(self.pick(rule).trial, []).append(shown)
        return {trial: ", ".join(rules) for trial, rules in picks.items()}

    def mark_of(self, member: FrontMember) -> str:
        """The remarks of a table on a member: ties, foreign load, the rules that pick it, "untuned", its parts."""
        is_baseline = self.baseline is not None and self.baseline.trial == member.trial
        marks = (
            "~" if member.ties else "",
            "~s" if member.score_ties else "",
            "!" if member.is_noisy else "",
            self.picks.get(member.trial, ""),
            "untuned" if is_baseline else "",
            f"= {member.formula}" if member.parts else "",
        )
        return " ".join(mark for mark in marks if mark)

    def pick(self, rule: str, tolerance: float | None = None) -> FrontMember:
        """The member given by a rule or a trial number, or the average. StudyError if there is none."""
        if not self.members:
            raise StudyError("the front has no member", "no trial of this run was complete; see trials.jsonl for why")
        if rule == AVERAGE:
            if self.average is None:
                raise StudyError(
                    "this run keeps no average: none is better than the best member by more than the tolerance, "
                    "or none was tried (--confirm 0, one member)",
                    "pick best",
                )
            return self.average
        if rule in RULES and rule != GREENEST and not len(self.recommended):
            raise StudyError(
                f"nothing is recommended: {self.why_none}", "a trial number or greenest picks one all the same"
            )
        if rule == "knee" and self.knee is not None:
            return self.knee
        if rule == "within":
            return self._pipelines[self.recommended.within(self.tolerance if tolerance is None else tolerance).trial]
        if rule == GREENEST:
            constant = -math.inf if self.dummy is None else self.dummy.validation
            useful = [member for member in self.members if member.validation - member.error > constant]
            return min(useful or self.members, key=lambda member: (member.carbon_g, member.trial))
        if rule in RULES:
            point: Point = getattr(self.recommended, rule)
            return self._pipelines[point.trial]
        if rule.isdecimal() and int(rule) in self._pipelines:
            return self._pipelines[int(rule)]
        raise StudyError(
            f"there is no front member {rule!r} to pick", nearest(rule, [*RULES, AVERAGE, *map(str, self._pipelines)])
        )

    @property
    def why_none(self) -> str:
        """Why no pipeline is recommended, in words."""
        assert self.dummy is not None, "without it, the baseline is recommended"
        return (
            f"no pipeline is better than always predicting {self.dummy.prediction} "
            f"({self.score} {self.dummy.validation:.3f}) by more than its standard error"
        )

    def parts_of(self, member: FrontMember) -> list[tuple[float, FrontMember]]:
        """The members that an average consists of, with their weights; a single pipeline is its own only part."""
        return [(part.weight, self.by_trial[part.trial]) for part in member.parts] or [(1.0, member)]

    def with_tolerance(self, tolerance: float) -> RunFront:
        """The front with another tolerance for "as good as the best", and without an average that gains no more."""
        is_better = self.average is not None and self.average.validation - self.pareto.best.score > tolerance
        changed = replace(self, tolerance=tolerance, average=self.average if is_better else None)
        return replace(changed, payback=paybacks_of(changed) if len(self.recommended) else ())


def score_ties_of(results: Sequence[TrialResult]) -> dict[int, list[int]]:
    """For each result, those whose scores do not differ with 95 % confidence."""

    def is_tie(a: TrialResult, b: TrialResult) -> bool:
        return a is not b and abs((a.score or 0.0) - (b.score or 0.0)) < _uncertainty_between(a, b)

    return {a.trial: [b.trial for b in results if is_tie(a, b)] for a in results}


def _uncertainty_between(a: TrialResult, b: TrialResult) -> float:
    """Half of the 95 % confidence interval of the difference of two scores; 0 unless both were confirmed.

    On the same folds the difference is paired, because groups are hard or easy for both.
    """
    if a.confirmation is None or b.confirmation is None:
        return 0.0
    factor = coverage_factor(min(a.confirmation.dof, b.confirmation.dof))
    if a.confirmation.n_folds != b.confirmation.n_folds:
        return factor * math.hypot(a.score_error, b.score_error)
    return factor * error_of_difference(a.confirmation.without, b.confirmation.without)


def is_convincing(result: TrialResult, baseline: TrialResult, *, study: ResolvedStudy) -> bool:
    """Whether a trial is better than the untuned baseline by more than the uncertainty, so that it is recommended.

    With 95 % confidence its score is higher (paired, if both were confirmed on the same folds); or it has fewer grams,
    and its score is lower by no more than `MAX_LOSS`. Where two or three groups are known, it must not extrapolate if
    the baseline does not.
    """
    if result.score is None or baseline.score is None or _is_riskier(result, baseline, study=study):
        return False
    gain, uncertainty = result.score - baseline.score, _uncertainty_between(result, baseline)
    if gain > uncertainty:
        return True
    saved_g = objective_g(study, baseline) - objective_g(study, result)
    uncertainty_g = math.hypot(*(objective_uncertainty_g(study, each) for each in (result, baseline)))
    return saved_g > TIE_FACTOR * uncertainty_g and gain - uncertainty >= -MAX_LOSS


def _is_riskier(result: TrialResult, baseline: TrialResult, *, study: ResolvedStudy) -> bool:
    """Whether a regression may extrapolate to other groups, as the baseline does not, and too few show how."""
    if study.task != "regression" or study.split.by != "group" or result.confirmation is None:
        return False
    is_bounded = [MODELS.find(each.model).is_bounded for each in (result, baseline)]
    return result.confirmation.dof < FEW_DOF and is_bounded == [False, True]


def beats(result: TrialResult, dummy: DummyScore | None) -> bool:
    """Whether a trial is better than a constant prediction by more than its standard error."""
    return dummy is None or (result.score is not None and result.score - result.score_error > dummy.validation)


def paybacks_of(front: RunFront) -> tuple[Payback, ...]:
    """The savings of the knee, and of the greenest within the tolerance of the best, compared with the best.

    The best is the choice without regard to grams.
    """
    best = front.pick("best")

    def per_1000(chosen: FrontMember) -> float | None:
        if chosen.inference_g_per_1000 is None or best.inference_g_per_1000 is None:
            return None
        return best.inference_g_per_1000 - chosen.inference_g_per_1000

    return tuple(
        Payback.of(
            choice,
            trial=chosen.trial,
            instead_of=best.trial,
            score_given_up=best.validation - chosen.validation,
            per_retraining_g=best.retraining_g - chosen.retraining_g,
            per_1000_predictions_g=per_1000(chosen),
            search_g=front.search.carbon_g,
        )
        for choice, chosen in (("knee", front.pick("knee")), ("within", front.pick("within")))
    )
