"""Measures front members again, then trains them once more for the test score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import wait
from dataclasses import replace

from cemai_opt.core.front import Front
from cemai_opt.core.measurement import Cost, Measurement, repeated
from cemai_opt.core.objective import objective_j
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import TrialResult
from cemai_opt.core.space import SearchSpace
from cemai_opt.core.spec import StudySpec
from cemai_opt.engines import Engine
from cemai_opt.search.allowance import Allowance
from cemai_opt.search.ledger import CONFIRM, FINAL, Ledger

TICK_S = 1.0
TRIES = 1
"""A measurement beside too much foreign work is taken again this often, then it is kept and flagged."""


class Confirmation:
    """What happens to a front after the search: nothing else runs on the machine by our doing."""

    def __init__(
        self,
        study: StudySpec,
        space: SearchSpace,
        engine: Engine,
        ledger: Ledger,
        on_step: Callable[[str], None] = lambda text: None,
        on_run: Callable[[str, TrialResult], None] = lambda why, result: None,
        allowance: Allowance | None = None,
        known: Callable[[str, int], TrialResult | None] = lambda why, trial: None,
        on_member: Callable[[str, TrialResult], None] = lambda why, result: None,
        on_tick: Callable[[], None] = lambda: None,
    ) -> None:
        """`allowance` is asked before each run; what testing the front takes is held back from measuring it again.

        `known` finds what was measured (CONFIRM) or tested (FINAL) before, and `on_member` is told of what is so now;
        `on_tick` is called now and then.
        """
        self._study, self._space, self._engine, self._ledger = study, space, engine, ledger
        self._on_step, self._on_run, self._allowance = on_step, on_run, allowance
        self._known, self._on_member, self._on_tick = known, on_member, on_tick
        self._said: set[str] = set()

    def measured_again(self, results: Sequence[TrialResult], front: Front) -> list[TrialResult]:
        """All results, those of front members with the mean of new measurements as their cost.

        The search's own measurement is left out of the mean: a member is on the front partly because it was lucky.
        """
        by_trial = {result.trial: result for result in results}
        wanted = self._study.search.confirm
        fresh = [point.trial for point in front if len(by_trial[point.trial].repeats_j) < wanted]
        for i, trial in enumerate(fresh):
            known = self._known(CONFIRM, trial)
            if known is not None:
                by_trial[trial] = known
                continue
            n_runs = wanted * (self._study.split.folds or 1)
            if self._has_no_budget(by_trial[trial], n_runs, "measured", [by_trial[point.trial] for point in front]):
                break
            self._on_step(f"measuring front member {i + 1} of {len(fresh)} again, {wanted} times")
            by_trial[trial] = self._repeated(by_trial[trial], wanted)
            if by_trial[trial].repeats_j:
                self._on_member(CONFIRM, by_trial[trial])
        return [by_trial[result.trial] for result in results]

    def tested(self, results: Sequence[TrialResult], members: Sequence[int]) -> Mapping[int, TrialResult]:
        """Some trials trained on train + validation and scored on test, by trial number."""
        fits = self._fits([result for result in results if result.trial in members])
        explained = self._study.search.explain != "never" and fits
        stages = tuple(name for name in self._space.stages if explained or name != "explain")
        by_trial = {result.trial: result for result in results}
        finals = {trial: known for trial in members if (known := self._known(FINAL, trial)) is not None}
        fresh = [trial for trial in members if trial not in finals]
        for i, trial in enumerate(fresh):
            if self._has_no_budget(by_trial[trial], 1.0, "tested"):
                break
            self._on_step(f"training {i + 1} of {len(fresh)} once more for the test score")
            plan = TrialPlan(trial, self._study, by_trial[trial].config, "final", stages, folds=1)
            finals[trial] = self._ran(plan, FINAL)
            self._on_member(FINAL, finals[trial])
        return finals

    def _fits(self, to_be_tested: Sequence[TrialResult]) -> bool:
        """Is there enough left to explain what is tested, too?"""
        return self._allowance is None or self._allowance.why_over(*self._allowance.for_tests(to_be_tested)) is None

    def _has_no_budget(
        self, result: TrialResult, n_runs: float, what: str, to_be_tested: Sequence[TrialResult] = ()
    ) -> bool:
        """Is there too little left for so many runs of a trial, and for tests after them? Then it is said."""
        if self._allowance is None:
            return False
        tests_j, tests_s = self._allowance.for_tests(to_be_tested, explained=False)
        energy_j, duration_s = n_runs * result.cost.energy_j + tests_j, n_runs * result.cost.duration_s + tests_s
        reason = self._allowance.why_over(energy_j, duration_s)
        if reason is not None:
            again = " again" if to_be_tested else ""
            text = f"trial {result.trial} and those after it are not {what}{again}: {reason}"
            if text not in self._said:
                self._on_step(text)
            self._said.add(text)
        return reason is not None

    def _ran(self, plan: TrialPlan, why: str) -> TrialResult:
        """The result of a plan, booked."""
        future = self._engine.run(plan)
        while not wait([future], TICK_S).done:
            self._on_tick()
        result = future.result()
        self._ledger.book(result, why)
        self._on_run(why, result)
        return result

    def _repeated(self, result: TrialResult, wanted: int) -> TrialResult:
        runs = [run for run in (self._quiet_run(result) for _ in range(wanted)) if run.is_complete]
        if not runs:
            return replace(result, notes=(*result.notes, "could not be measured again"))
        scores = {run.score for run in runs} - {result.score}
        told = tuple(f"its refit scored {score}, not {result.score}" for score in sorted(scores, key=str))
        return replace(
            result,
            notes=(*result.notes, *told),
            cost=repeated([run.cost for run in runs]),
            inference=_mean_inference(runs),
            repeats_j=tuple(objective_j(self._study.objective, run) for run in runs),
            foreign_load=max(run.foreign_load for run in runs),
        )

    def _quiet_run(self, result: TrialResult) -> TrialResult:
        """One more run of a search trial, the last of some tries where the machine is never quiet."""
        stages = tuple(row.stage for row in result.cost.rows if row.stage in self._space.stages)
        plan = TrialPlan(result.trial, self._study, result.config, "search", stages, self._study.split.folds or 1)
        for _ in range(1 + TRIES):
            run = self._ran(plan, CONFIRM)
            if not run.is_noisy:
                break
        return run


def _mean_inference(runs: Sequence[TrialResult]) -> Measurement | None:
    """The mean cost of 1,000 predictions over runs that measured it."""
    measured = [Cost((run.inference,)) for run in runs if run.inference is not None]
    return repeated(measured).rows[0] if measured else None
