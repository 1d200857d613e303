"""Measures front members again, then retrains them for their test scores."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import wait
from dataclasses import replace

from cemai_opt.core.average import Average
from cemai_opt.core.front import ParetoFront
from cemai_opt.core.measurement import Cost, Measurement, repeated
from cemai_opt.core.objective import objective_j
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import ScoredRows, TrialResult
from cemai_opt.search.context import SearchContext
from cemai_opt.search.ledger import AVERAGE, CONFIRM, FINAL

TICK_S = 1.0
MAX_RETRIES = 1
"""A measurement under too much foreign load is repeated up to this many times, then it is kept and flagged."""

log = logging.getLogger(__name__)


class MemberLog:
    """Front members that were measured again (CONFIRM) or tested (FINAL), in this or an earlier session.

    `find` also returns results of other drivers. `average` is the best average of members, if one was tried.
    `on_change` is called after each addition.
    """

    def __init__(
        self,
        measured: Sequence[TrialResult] = (),
        tested: Sequence[TrialResult] = (),
        *,
        average: Average | None = None,
        on_change: Callable[[MemberLog], None] = lambda members: None,
    ) -> None:
        self.average, self._on_change = average, on_change
        self._by_why = {
            CONFIRM: {result.trial: result for result in measured},
            FINAL: {result.trial: result for result in tested},
        }

    @property
    def measured(self) -> Mapping[int, TrialResult]:
        """Members with their repeated measurements, by trial."""
        return self._by_why[CONFIRM]

    @property
    def tested(self) -> Mapping[int, TrialResult]:
        """Members as they were tested, by trial."""
        return self._by_why[FINAL]

    def find(self, why: str, trial: int, *, context: SearchContext) -> TrialResult | None:
        """The result of a member, from this or another driver; None if there is none yet."""
        known = self._by_why[why].get(trial)
        return known or (context.coordinator.member(why, trial) if context.coordinator else None)

    def add(self, why: str, result: TrialResult, *, context: SearchContext) -> None:
        """Adds the result of a member and publishes it to other drivers."""
        self._by_why[why][result.trial] = result
        self._on_change(self)
        if context.coordinator is not None:
            context.coordinator.post_member(why, result)

    def keep_average(self, average: Average | None) -> None:
        """Replaces the average."""
        self.average = average
        self._on_change(self)


class Remeasurement:
    """Measures a front again and tests it after the search; the search runs nothing else meanwhile."""

    def __init__(self, context: SearchContext, members: MemberLog) -> None:
        """The budget is checked before each run; the estimated cost of testing the front is reserved."""
        self._context, self._members = context, members
        self._study, self._space, self._budget = context.study, context.space, context.budget
        self._said: set[str] = set()
        self._rows: dict[tuple[str, int], ScoredRows] = {}

    def measured_again(self, results: Sequence[TrialResult], front: ParetoFront) -> list[TrialResult]:
        """All results, with the mean of new measurements as the cost of front members.

        The measurement of the search is left out of the mean: lucky measurements are more likely to be on the front.
        """
        by_trial = {result.trial: result for result in results}
        wanted = self._study.search.confirm
        fresh = [point.trial for point in front if len(by_trial[point.trial].repeats_j) < wanted]
        for i, trial in enumerate(fresh):
            known = self._members.find(CONFIRM, trial, context=self._context)
            if known is not None:
                by_trial[trial] = known
                continue
            n_runs = wanted * self._study.split.folds
            to_be_tested = [by_trial[point.trial] for point in front]
            if self._has_no_budget(by_trial[trial], n_runs, what="measured again", to_be_tested=to_be_tested):
                break
            self._context.events.on_phase(f"measuring front member {i + 1} of {len(fresh)} again, {wanted} times")
            by_trial[trial] = self._repeated(by_trial[trial], wanted)
            if by_trial[trial].repeats_j:
                self._members.add(CONFIRM, by_trial[trial], context=self._context)
        return [by_trial[result.trial] for result in results]

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
                break
            self._context.events.on_phase(f"retraining pipeline {i + 1} of {len(fresh)} for its test score")
            finals[trial] = self._ran(self._final_plan(by_trial[trial], stages), FINAL)
            self._members.add(FINAL, finals[trial], context=self._context)
        return finals

    def scored_rows(self, why: str, result: TrialResult) -> ScoredRows | None:
        """The validation (CONFIRM) or test rows (FINAL) of a member, with its predictions.

        They are kept from its measurement or test in this session. A member of an earlier one runs once more, which the
        ledger enters under AVERAGE. None if there is no budget for that.
        """
        key = why, result.trial
        n_runs = self._study.split.folds if why == CONFIRM else 1.0
        if key not in self._rows and not self._has_no_budget(result, n_runs, what="run again for an average"):
            self._context.events.on_phase(f"running front member {result.trial} again for an average")
            stages = tuple(name for name in self._space.stages if name != "explain")
            self._ran(self._search_plan(result) if why == CONFIRM else self._final_plan(result, stages), AVERAGE)
        return self._rows.get(key)

    def _has_no_budget(
        self, result: TrialResult, n_runs: float, *, what: str, to_be_tested: Sequence[TrialResult] = ()
    ) -> bool:
        """Whether the budget is too small for this many runs of a trial and the tests after them; reported once."""
        tests_j, tests_s = self._budget.for_tests(to_be_tested, are_explained=False)
        energy_j, duration_s = n_runs * result.cost.energy_j + tests_j, n_runs * result.cost.duration_s + tests_s
        reason = self._budget.why_over(energy_j, duration_s)
        if reason is not None:
            text = f"trial {result.trial} and those after it are not {what}: {reason}"
            if text not in self._said:
                self._context.events.on_phase(text)
            self._said.add(text)
        return reason is not None

    def _ran(self, plan: TrialPlan, why: str) -> TrialResult:
        """The result of a plan, entered into the ledger; the rows that it was scored on are kept aside."""
        future = self._context.engine.run(plan)
        while not wait([future], TICK_S).done:
            self._context.events.on_tick()
        result = future.result()
        if result.scored_rows is not None:
            why_kept = FINAL if plan.phase == "final" else CONFIRM
            first = next((rows for (other, _), rows in self._rows.items() if other == why_kept), result.scored_rows)
            self._rows[why_kept, plan.trial] = result.scored_rows.sharing(first)
            result = replace(result, scored_rows=None)
        log.info("trial %d (%s) %s for %s, score %s", result.trial, result.model, result.state, why, result.score)
        self._context.ledger.book(result, why)
        self._context.events.on_run(why, result)
        return result

    def _repeated(self, result: TrialResult, wanted: int) -> TrialResult:
        runs = [run for run in (self._quiet_run(result) for _ in range(wanted)) if run.is_complete]
        if not runs:
            return replace(result, notes=(*result.notes, "could not be measured again"))
        scores = {run.score for run in runs} - {result.score}
        notes = tuple(f"its refit scored {score}, not {result.score}" for score in sorted(scores, key=str))
        return replace(
            result,
            notes=(*result.notes, *notes),
            cost=repeated([run.cost for run in runs]),
            inference=_mean_inference(runs),
            repeats_j=tuple(objective_j(self._study.objective, run) for run in runs),
            foreign_load=max(run.foreign_load for run in runs),
        )

    def _quiet_run(self, result: TrialResult) -> TrialResult:
        """One more run of a trial, repeated up to `MAX_RETRIES` times while there is too much foreign load."""
        plan = self._search_plan(result)
        for _ in range(1 + MAX_RETRIES):
            run = self._ran(plan, CONFIRM)
            if not run.is_noisy:
                break
        return run

    def _search_plan(self, result: TrialResult) -> TrialPlan:
        """A trial as it was searched."""
        return TrialPlan(
            trial=result.trial,
            study=self._study,
            config=result.config,
            phase="search",
            stages=tuple(row.stage for row in result.cost.rows if row.stage in self._space.stages),
            folds=self._study.split.folds,
            keeps_rows=(CONFIRM, result.trial) not in self._rows,
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


def _mean_inference(runs: Sequence[TrialResult]) -> Measurement | None:
    """The mean cost of 1,000 predictions over runs that measured it."""
    measured = [Cost((run.inference,)) for run in runs if run.inference is not None]
    return repeated(measured).rows[0] if measured else None
