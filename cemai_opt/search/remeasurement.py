"""Confirms the scores and costs of front candidates on more folds, then retrains members for their test scores."""

from __future__ import annotations

import logging
import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import wait
from dataclasses import replace

from cemai_opt.core.front import ParetoFront, Point
from cemai_opt.core.objective import objective_g
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import ScoredRows, TrialResult
from cemai_opt.search.candidate_runs import CandidateRuns
from cemai_opt.search.context import SearchContext
from cemai_opt.search.ledger import AVERAGE, CONFIRM, FINAL
from cemai_opt.search.member_log import MemberLog
from cemai_opt.search.race import Contender, Race, in_order

TICK_S = 1.0
CONFIRM_SHARE = 0.7
"""Share of what is left of a budget, without the tests, for confirming the front; the rest is for others beside it."""
MIN_FOLDS = 2
MAX_RETRIES = 1
"""So many measurements of a contender are repeated if there is too much foreign load; others are kept and flagged, as
are all once a repeated one had as much: the load will stay."""

log = logging.getLogger(__name__)


class Remeasurement:
    """Confirms front candidates and tests members after the search; nothing else runs meanwhile."""

    def __init__(self, context: SearchContext, members: MemberLog) -> None:
        """The budget is checked before each run; the estimated cost of testing the front is reserved."""
        self._context, self._members = context, members
        self._study, self._space, self._budget = context.study, context.space, context.budget
        self._said: set[str] = set()
        self._n_folds = context.confirm_folds
        self._rows: dict[tuple[str, int], ScoredRows] = {}
        self._parts: dict[int, ScoredRows] = {}
        """The scored rows of each fold, whose targets and groups all contenders share."""
        self._candidates: dict[int, CandidateRuns] = {}
        """The runs of contenders that were confirmed in this session."""
        self._n_retried, self._is_busy = Counter[int](), False
        self._corrections: list[float] = []
        """What candidates have cost, as a multiple of what the search has measured, or predicted for all rows."""

    def confirmed(self, results: Sequence[TrialResult], candidates: Sequence[Contender]) -> list[TrialResult]:
        """All results; those of contenders with the score and the cost of folds that the search has not seen.

        What the search measured is left out of both: lucky scores and costs are more likely to be on a front.
        """
        by_trial, race = {result.trial: result for result in results}, Race(self._study)
        asked = in_order(candidates, {t: result.cost.energy_j for t, result in by_trial.items()})
        if not self._study.search.confirm:
            return list(results)
        certain = [by_trial[c.trial] for c in asked if c.is_certain and by_trial[c.trial].confirmation is None]
        self._n_folds, excluded = self._affordable_folds(certain)
        asked = [contender for contender in asked if contender.trial not in excluded]
        for i, contender in enumerate(asked):
            result = by_trial[contender.trial]
            known = result if result.confirmation else self._members.find(CONFIRM, result.trial, context=self._context)
            if known is not None:
                by_trial[result.trial] = known
                race.enter(known)
                continue
            if not race.may_win(contender) or (not contender.is_certain and self._is_too_dear(result, certain)):
                continue
            on_front = [by_trial[c.trial] for c in asked if c.is_certain]
            if contender.is_certain:
                left = [by_trial[c.trial] for c in asked[i:] if c.is_certain and by_trial[c.trial].confirmation is None]
                n_folds = self._folds_for(left, to_be_tested=on_front)  # fewer if others cost more than expected
                self._n_folds = min(self._n_folds, max(n_folds, MIN_FOLDS))
            if self._has_no_budget(result, self._n_folds, what="confirmed", to_be_tested=on_front):
                break
            folds = f"{self._n_folds} fold{'s' if self._n_folds > 1 else ''}"
            self._context.events.on_phase(f"confirming front candidate {i + 1} of {len(asked)} on {folds}")
            by_trial[result.trial] = self._confirmed(result, race, may_be_dropped=not contender.is_untuned)
            if by_trial[result.trial].confirmation is not None:
                self._members.add(CONFIRM, by_trial[result.trial], context=self._context)
        for trial in self._candidates:
            self._with_all_runs(by_trial[trial], by_trial=by_trial)
        if self._n_folds < self._context.confirm_folds:
            self._confirm_further(by_trial, asked)
        if any(result.is_predicted for result in results):
            self._say_how_right_predictions_were()
        return [by_trial[result.trial] for result in results]

    def _is_too_dear(self, result: TrialResult, certain: Sequence[TrialResult]) -> bool:
        """Whether running a contender beside the front on all rows costs more than running the others on average."""
        if not result.is_predicted or not certain:
            return False
        return self._energy_j(result) > statistics.fmean(self._energy_j(other) for other in certain)

    def _affordable_folds(self, members: Sequence[TrialResult]) -> tuple[int, set[int]]:
        """The number of folds that the budget allows for the contenders, and trials that are too expensive for it.

        Contenders are compared on the same folds, so all of them run on as many. The most expensive ones are left out
        if not even `MIN_FOLDS` are affordable.
        """
        left, n_folds = sorted(members, key=lambda member: member.cost.energy_j), self._context.confirm_folds
        while left:
            n_folds = self._folds_for(left, to_be_tested=left, share=CONFIRM_SHARE)
            if n_folds >= min(MIN_FOLDS, self._context.confirm_folds) or len(left) == 1:
                break
            left.pop()
        return max(n_folds, 1), {member.trial for member in members} - {member.trial for member in left}

    def _folds_for(
        self, members: Sequence[TrialResult], *, to_be_tested: Sequence[TrialResult], share: float = 1.0
    ) -> int:
        """The number of folds that this share of the budget, without the tests, allows for all these members."""
        tests_j, tests_s = self._budget.for_tests(to_be_tested, are_explained=False)
        n_folds = self._context.confirm_folds
        for left, tests, a_fold in (
            (self._budget.left_j(), tests_j, math.fsum(self._energy_j(member) for member in members)),
            (self._budget.left_s(), tests_s, math.fsum(self._duration_s(member) for member in members)),
        ):
            if not math.isinf(left) and a_fold > 0.0:
                n_folds = min(n_folds, int(share * (left - tests) / a_fold))
        return n_folds

    def tested(self, results: Sequence[TrialResult], trials: Sequence[int]) -> Mapping[int, TrialResult]:
        """Some trials trained on train + validation and scored on test, by trial number."""
        by_trial = {result.trial: result for result in results}
        fits = self._budget.why_over(*self._budget.for_tests([by_trial[trial] for trial in trials])) is None
        explained = self._study.search.explain != "never" and fits
        stages = tuple(name for name in self._space.stages if explained or name != "explain")
        found = {trial: self._members.find(FINAL, trial, context=self._context) for trial in trials}
        finals = {trial: known for trial, known in found.items() if known is not None}
        fresh = [trial for trial in trials if trial not in finals]
        for i, trial in enumerate(fresh):
            if self._has_no_budget(by_trial[trial], 1.0, what="tested"):
                continue  # a cheaper one may still fit
            self._context.events.on_phase(f"retraining pipeline {i + 1} of {len(fresh)} for its test score")
            run = self._ran(self._final_plan(by_trial[trial], stages), FINAL)
            if run.scored_rows is not None:
                self._keep_rows(FINAL, trial, rows=run.scored_rows)
            finals[trial] = replace(run, scored_rows=None)
            self._members.add(FINAL, finals[trial], context=self._context)
        return finals

    def scored_rows(self, why: str, result: TrialResult) -> ScoredRows | None:
        """The validation (CONFIRM) or test rows (FINAL) of a member, with its predictions.

        They are kept from its confirmation or test in this session. A member of an earlier one runs once more, which
        the ledger enters under AVERAGE. None if there is no budget for that.
        """
        key = why, result.trial
        n_runs = result.confirmation.n_folds if why == CONFIRM and result.confirmation is not None else 1
        if key not in self._rows and not self._has_no_budget(result, n_runs, what="run again for an average"):
            self._context.events.on_phase(f"running front member {result.trial} again for an average")
            stages = tuple(name for name in self._space.stages if name != "explain")
            plans = [self._confirm_plan(result, fold) for fold in range(n_runs)]
            plans = plans if why == CONFIRM else [self._final_plan(result, stages)]
            parts = [run.scored_rows for run in (self._ran(plan, AVERAGE) for plan in plans)]
            if all(part is not None for part in parts):
                rows = ScoredRows.joined([part for part in parts if part is not None])
                self._keep_rows(why, result.trial, rows=rows)
        return self._rows.get(key)

    def known_test_rows(self, trials: Iterable[int]) -> dict[int, ScoredRows]:
        """The test rows, with their predictions, of those of the trials that were tested in this session."""
        return {trial: self._rows[FINAL, trial] for trial in trials if (FINAL, trial) in self._rows}

    def _keep_rows(self, why: str, trial: int, *, rows: ScoredRows) -> None:
        first = next((known for (other, _), known in self._rows.items() if other == why), rows)
        self._rows[why, trial] = rows.sharing(first)

    def _has_no_budget(
        self, result: TrialResult, n_runs: float, *, what: str, to_be_tested: Sequence[TrialResult] = ()
    ) -> bool:
        """Whether the budget is too small for this many runs of a trial and the tests after them; reported once."""
        tests_j, tests_s = self._budget.for_tests(to_be_tested, are_explained=False)
        energy_j, duration_s = n_runs * self._energy_j(result) + tests_j, n_runs * self._duration_s(result) + tests_s
        reason = self._budget.why_over(energy_j, duration_s)
        if reason is not None:
            text = f"trial {result.trial} and those after it are not {what}: {reason}"
            if text not in self._said:
                self._context.events.on_phase(text)
            self._said.add(text)
        return reason is not None

    def _energy_j(self, result: TrialResult) -> float:
        """Joules of one run on all rows, corrected by what other candidates have cost so far."""
        return result.cost.energy_j * self._correction(result)

    def _duration_s(self, result: TrialResult) -> float:
        return result.cost.duration_s * self._correction(result)

    def _correction(self, result: TrialResult) -> float:
        """1 if it is known what it costs now: the machine may be busier than during the search."""
        is_known = result.confirmation is not None or not self._corrections
        return 1.0 if is_known else statistics.median(self._corrections)

    def _say_how_right_predictions_were(self) -> None:
        if self._corrections:
            low, high = min(self._corrections), max(self._corrections)
            self._context.events.on_phase(
                f"on all rows, {len(self._corrections)} candidates cost {statistics.median(self._corrections):.2f} "
                f"times what had been predicted from a part of them (from {low:.2f} to {high:.2f})"
            )

    def _ran(self, plan: TrialPlan, why: str) -> TrialResult:
        """The result of a plan, entered into the ledger."""
        future = self._context.engine.run(plan)
        while not wait([future], TICK_S).done:
            self._context.events.on_tick()
        result = future.result()
        log.info("trial %d (%s) %s for %s, score %s", result.trial, result.model, result.state, why, result.score)
        self._context.ledger.book(result, why)
        self._context.events.on_run(why, result)
        return result

    def _confirmed(self, result: TrialResult, race: Race, *, may_be_dropped: bool) -> TrialResult:
        """A contender, run on one fold after the other until it is hopeless; then again, if more runs are wanted.

        A contender that fails on a fold has no confirmation.
        """
        candidate = CandidateRuns(searched=result, study=self._study)
        while candidate.n_folds < self._n_folds:
            failure = self._run_next_fold(candidate)
            if failure is not None:
                return replace(result, notes=(*result.notes, failure))
            if may_be_dropped and race.is_hopeless(candidate.pooled, candidate.cost_j, n_folds=candidate.n_folds):
                break
        if candidate.n_folds == self._context.confirm_folds:  # otherwise, more folds may follow
            self._run_again(candidate)
        confirmed = candidate.result(of=self._n_folds)
        if result.cost.energy_j > 0.0:
            self._corrections.append(confirmed.cost.energy_j / result.cost.energy_j)
        if candidate.parts and confirmed.is_confirmed:
            self._candidates[result.trial] = candidate
            self._keep_rows(CONFIRM, result.trial, rows=ScoredRows.joined(candidate.parts))
            race.enter(confirmed, candidate.parts)
        return confirmed

    def _run_next_fold(self, candidate: CandidateRuns) -> str | None:
        """Runs a contender on its next fold; the failure in words if it fails there."""
        fold, trial = candidate.n_folds, candidate.searched.trial
        run = self._ran(self._confirm_plan(candidate.searched, fold), CONFIRM)
        if run.is_noisy and self._n_retried[trial] < MAX_RETRIES and not self._is_busy:
            self._n_retried[trial] += 1
            run = self._ran(self._confirm_plan(candidate.searched, fold), CONFIRM)
            self._is_busy = run.is_noisy
        if not run.is_complete:
            return f"fold {fold + 1} that confirms it: {run.reason}"
        part = run.scored_rows
        candidate.add_fold(run, part and part.sharing(self._parts.setdefault(fold, part)))
        return None

    def _run_again(self, candidate: CandidateRuns) -> None:
        """Repeats runs of a contender whose joules are uncertain, up to as many as the study asks for."""
        n_runs = len(candidate.runs)
        while n_runs < self._study.search.confirm and candidate.is_uncertain:
            run = self._ran(self._confirm_plan(candidate.searched, n_runs % candidate.n_folds), CONFIRM)
            candidate.runs += [run] if run.is_complete else []
            n_runs += 1

    def _confirm_further(self, by_trial: dict[int, TrialResult], asked: Sequence[Contender]) -> None:
        """Runs contenders that are still in question on further folds, as long as the budget allows it for all of them.

        In question are those on the front of the confirmed scores, and the untuned. All others are dropped: after that,
        they have run on fewer folds.
        """
        confirmed = [by_trial[c.trial] for c in asked if by_trial[c.trial].is_confirmed]
        while self._n_folds < self._context.confirm_folds and confirmed:
            front = {point.trial for point in ParetoFront.of(self._feasible(confirmed))}
            front |= {contender.trial for contender in asked if contender.is_untuned}
            left = [result for result in confirmed if result.trial in front]
            if not left or not all(result.trial in self._candidates for result in left):
                break  # the folds of an earlier session, or of another driver, are not known
            tests_j, tests_s = self._budget.for_tests(left, are_explained=False)
            fresh = [result for result in left if self._candidates[result.trial].n_folds == self._n_folds]
            energy_j = math.fsum(result.cost.energy_j for result in fresh) + tests_j
            duration_s = math.fsum(result.cost.duration_s for result in fresh) + tests_s
            if self._budget.why_over(energy_j, duration_s) is not None:
                break
            self._n_folds += 1
            self._context.events.on_phase(f"confirming {len(left)} candidates on fold {self._n_folds} as well")
            for result in fresh:
                self._run_next_fold(self._candidates[result.trial])
            confirmed = [self._with_all_runs(result, by_trial=by_trial) for result in confirmed]
            confirmed = [result for result in confirmed if result.is_confirmed]
        for result in [result for result in confirmed if result.trial in self._candidates]:
            self._run_again(self._candidates[result.trial])
            self._with_all_runs(result, by_trial=by_trial)

    def _with_all_runs(self, result: TrialResult, *, by_trial: dict[int, TrialResult]) -> TrialResult:
        """A contender with what all its runs say, which is kept."""
        candidate = self._candidates[result.trial]
        found = candidate.result(of=self._n_folds)
        if found != result:
            by_trial[result.trial] = found
            self._keep_rows(CONFIRM, result.trial, rows=ScoredRows.joined(candidate.parts[: self._n_folds]))
            self._members.add(CONFIRM, found, context=self._context)
        return found

    def _feasible(self, results: Sequence[TrialResult]) -> list[Point]:
        """Results that satisfy the constraints, in the plane of the objectives."""
        points = [Point(r.trial, r.score, objective_g(self._study, r)) for r in results if r.score is not None]
        return [point for point in points if self._study.constraints.violation(point) <= 0.0]

    def _confirm_plan(self, result: TrialResult, fold: int) -> TrialPlan:
        """A trial as it was searched, on one of the folds that confirm its score."""
        return TrialPlan(
            trial=result.trial,
            study=self._study,
            config=result.config,
            phase="confirm",
            stages=tuple(row.stage for row in result.cost.rows if row.stage in self._space.stages),
            folds=1,
            keeps_rows=True,
            only_fold=fold,
        )

    def _final_plan(self, result: TrialResult, stages: tuple[str, ...]) -> TrialPlan:
        """A trial trained on training and validation rows, and scored on test rows."""
        return TrialPlan(
            trial=result.trial,
            study=self._study,
            config=result.final_config,
            phase="final",
            stages=stages,
            folds=1,
            keeps_rows=True,
        )
