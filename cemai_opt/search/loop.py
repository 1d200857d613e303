"""The ask-and-tell loop: asks the sampler, runs trials and tells results until trials, time or grams are used up."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from cemai_opt.core.front import ParetoFront, Point
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.measurement import Cost
from cemai_opt.core.objective import objective_g
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.result import COMPLETE, FAILED, PRUNED, REPEAT, SKIPPED, TrialResult
from cemai_opt.core.space import MODEL, Params
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.search.context import SearchContext
from cemai_opt.search.curve_candidates import CurveCandidates, constraint_values, trial_attributes
from cemai_opt.search.events import SearchState
from cemai_opt.search.history import TrialHistory
from cemai_opt.search.initial_design import by_digest, fitted_in, initial_design
from cemai_opt.search.prior import EarlierConfigs, Prior
from cemai_opt.search.pruning import Pruner
from cemai_opt.search.samplers import EnqueuingSampler
from cemai_opt.search.storage.study import end_abandoned
from cemai_opt.search.suggest import suggest
from cemai_opt.search.worth import Worth

TICK_S = 1.0
"""How often a waiting search checks for other things to do."""
MAX_IDLE_IN_A_ROW = 50
"""After this many suggestions in a row for which nothing ran, the search space counts as exhausted."""
PORTFOLIO_SHARE = 0.4
"""The portfolio runs until this share of the budget is used."""
BOLD_FACTOR = 5.0
"""With so many rows that trials explore on a part of them, those of the portfolio may cost this many times the cap."""
EXPECTED_J = 100.0
"""With this budget, all models of the portfolio are expected to run."""

INTERRUPTED = "interrupted"
"""Why an interrupted search ended; the front found so far remains valid."""

_STATES = {COMPLETE: TrialState.COMPLETE, PRUNED: TrialState.PRUNED, FAILED: TrialState.FAIL}

log = logging.getLogger(__name__)


class Search:
    """One search over one study. Results of earlier sessions are known from the start, and are not run again."""

    def __init__(self, context: SearchContext, *, earlier: Sequence[TrialResult] = ()) -> None:
        self.context, self._study, self._space = context, context.study, context.space
        self._optuna_study, self._coordinator = context.optuna_study, context.coordinator
        self.history = TrialHistory(self._study)
        self._pruner = Pruner(self._study, self._space, earlier=context.prior.costs, n_inputs=context.n_inputs)
        self._candidates = CurveCandidates(context)
        self._design = by_digest(self._space, initial_design(self._space, context.portfolio))
        self._portfolio = {self._space.active(params).digest for params in fitted_in(self._space, context.portfolio)}
        self._earlier = EarlierConfigs(context.prior, self._space)
        self._prior = self._earlier.by_digest
        self._queue: list[str] = []
        self._prior_queue: list[str] = []
        self._untuned: list[Point] = []
        self._worth = Worth(self._study)
        self._running: dict[Future[TrialResult], optuna.Trial] = {}
        self._idle_in_a_row, self._share_used = 0, 0.0
        self._reserved_after, self._reservation = -1, (0.0, 0.0)
        context.sampler.is_affordable = self.is_affordable
        for result in earlier:
            self._add(result)

    @property
    def results(self) -> list[TrialResult]:
        """Finished trials, in the order in which they finished."""
        return self.history.results

    @property
    def points(self) -> list[Point]:
        """Complete trials that satisfy the constraints, in the plane of the objectives; repeats are left out."""
        return self.history.points

    @property
    def front(self) -> ParetoFront:
        """Non-dominated points so far."""
        return self.history.front

    def run(self) -> str:
        """Runs the search and returns why it ended, in words."""
        try:
            return self._run()
        except KeyboardInterrupt:
            for trial in self._running.values():
                end_abandoned(self._optuna_study, trial.number)
            return INTERRUPTED

    def _run(self) -> str:
        self._add_earlier_candidates()
        self._queue, self._prior_queue = self._untried(self._design), self._untried(self._prior)
        if self.context.budget.left_j() >= EXPECTED_J:
            first = self._queue[: max(self._study.search.trials - self.history.n_run, 0)]  # in about this order
            self.context.engine.expect([self._design[d][1].model for d in first if d in self._portfolio])
        while True:
            n_elsewhere = self._n_elsewhere()  # first: a trial that ends now may count twice for a moment, never not
            self._receive()
            reason = self._reason_to_stop()
            n_started = self.history.n_run + len(self._running) + n_elsewhere
            is_full = n_started >= self._study.search.trials
            if reason is None and not is_full and len(self._running) < self.context.engine.slots:
                self._ask()
            elif self._running or (reason is None and n_started > self.history.n_run):
                self._collect()
            else:
                return reason or f"{self._study.search.trials} trials are done"

    def _n_elsewhere(self) -> int:
        """Trials that other drivers are running."""
        return len(self._coordinator.elsewhere()) if self._coordinator else 0

    def _receive(self) -> None:
        """Adds the trials that other drivers have finished."""
        if self._coordinator is None:
            return
        self._coordinator.beat(self._running.values())
        for result in self._coordinator.new_results(self.history.numbers):
            self.context.ledger.book_elsewhere(result)
            self._add(result)
            self.context.events.on_result(result, self._state())
            self.history.count_stagnation()
        self.context.ledger.others_j = self._coordinator.drivers_j()

    def _add(self, result: TrialResult) -> None:
        """Adds a finished trial to the history, the sampler's context and the pruner."""
        n_points = len(self.history.points)
        self.history.add(result)
        if result.config.digest in self._design:
            self._untuned += self.history.points[n_points:]
        if not (result.is_repeat or result.is_skipped):
            self.context.sampler.seen.add(result.config.digest)
            self._pruner.update(result)

    def _untried(self, configs: Mapping[str, tuple[Params, Config]]) -> list[str]:
        """Digests of the configurations that no driver has finished, started or enqueued.

        A trial whose driver died counts as well, because any retry of it has been enqueued already.
        """
        if not configs:
            return []
        trials = self._optuna_study.get_trials(deepcopy=False)
        queued = [trial.system_attrs.get("fixed_params") for trial in trials]
        return [
            digest
            for digest, (params, _) in configs.items()
            if digest not in self.history.by_digest and self._searched_params(params) not in queued
        ]

    def _searched_params(self, params: Params) -> dict[str, Value]:
        return {name: value for name, value in params.items() if self._space.is_open(name, params)}

    def _enqueue_affordable(self) -> None:
        """Enqueues the next configuration of the prior or of the initial design that is affordable now."""
        if self._coordinator is not None:
            self._queue, self._prior_queue = self._untried(self._design), self._untried(self._prior)
        run = [self.history.by_digest[digest].trial for digest in self._prior if digest in self.history.by_digest]
        n_useless = len(set(run) - {point.trial for point in self.front})
        is_next = random.Random(f"{self._study.seed} {len(self.results)}").random() < Prior.share(len(run), n_useless)
        designed = self._next_of(self._design, self._queue)
        related = self._earlier.related(self._prior_queue, self.history.by_digest) if is_next else []
        known = self._next_of(self._prior, related)
        if known is not None and (designed is None or self._expected_j(known) <= self._expected_j(designed)):
            self._prior_queue.remove(known)
            self._optuna_study.enqueue_trial(self._searched_params(self._prior[known][0]))
        elif designed is not None:
            self._queue.remove(designed)
            self._optuna_study.enqueue_trial(self._searched_params(self._design[designed][0]))

    def _next_of(self, configs: Mapping[str, tuple[Params, Config]], queue: Sequence[str]) -> str | None:
        """The first of the waiting configurations that is affordable now."""
        return next((d for d in queue if self._why_not(configs[d][1], configs[d][0]) is None), None)

    def _expected_j(self, digest: str) -> float:
        return self._pruner.expected_j((self._prior | self._design)[digest][0])

    def is_affordable(self, params: Params) -> bool:
        """Whether the estimated cost of a pipeline allows it to run now; a sampler may call this before it suggests."""
        return self._pruner.why_not(params, str(params[MODEL]), front=self.front, cap_j=self._cap_j()) is None

    def _why_not(self, config: Config, params: Params) -> str | None:
        return self._pruner.why_not(
            params,
            config.model,
            front=self.front,
            cap_j=self._cap_j(config),
            is_bold=self._is_of_portfolio(config),
        )

    def _is_of_portfolio(self, config: Config | None) -> bool:
        """Whether it is a configuration of the portfolio or of the prior, whose share of the budget is not used up."""
        if config is None or self._share_used >= PORTFOLIO_SHARE:
            return False
        return config.digest in self._portfolio or config.digest in self._prior

    def _cap_j(self, config: Config | None = None) -> float:
        """Joules above which a trial is too expensive for now; those of the portfolio come first."""
        progress = max(self.history.n_run / self._study.search.trials, self._share_used)
        cap_j = self._pruner.cap_j(self.front, self.history.spent_j, progress=progress)
        if self._is_of_portfolio(config):
            cap_j = BOLD_FACTOR * cap_j if self._study.split.explore_rows and len(self.front) else math.inf
        return min(cap_j, self.context.budget.largest_j)

    def _reason_to_stop(self) -> str | None:
        if self._idle_in_a_row >= MAX_IDLE_IN_A_ROW:
            return f"the last {MAX_IDLE_IN_A_ROW} suggestions were known or too expensive: the search space is used up"
        if self.history.has_stagnated:
            return f"{self._study.search.patience} trials in a row without a gain in hypervolume"
        return self.context.budget.why_over(*self._reserved()) or self._worth.why_stop()

    def _reserved(self) -> tuple[float, float]:
        """Joules and seconds for what follows the search; estimated anew after each result."""
        n_results = len(self.results)
        if n_results != self._reserved_after:
            self._reserved_after, self._reservation = n_results, self._estimated()
        return self._reservation

    def _estimated(self) -> tuple[float, float]:
        plain = ParetoFront.of(self._untuned).within(self._study.search.tolerance) if self._untuned else None
        untuned = [] if plain is None or plain in self.front.members else [self.history.by_trial[plain.trial]]
        return self.context.budget.reserved([*self.history.members, *untuned], n_folds=self.context.confirm_folds)

    def _ask(self) -> None:
        self._share_used = self.context.budget.share_used()  # reading the meters takes a millisecond
        self._enqueue_affordable()
        trial = self._next_trial()
        params = suggest(trial, self._space)
        config = self._space.active(params)
        known = self.history.by_digest.get(config.digest)
        reason = self._why_not(config, params)
        self.context.sampler.seen.add(config.digest)
        if known is not None or reason is not None:
            self._idle_in_a_row += 1
            idle = _repeat_of(known, trial.number) if known else _skipped(trial.number, config, reason=reason or "")
            log.debug("trial %d (%s) %s", trial.number, config.model, idle.reason)
            self._finish(trial, idle)
            return
        self._idle_in_a_row = 0
        if self._coordinator is not None and not self._coordinator.claim(trial, config.digest):
            self._finish(trial, _skipped(trial.number, config, reason="another driver has it"))
            return
        try:
            self._running[self.context.engine.run(self._plan(trial.number, config, params=params))] = trial
        except KeyboardInterrupt:
            end_abandoned(self._optuna_study, trial.number)
            raise

    def _next_trial(self) -> optuna.Trial:
        sampler, waiting = self._optuna_study.sampler, [TrialState.WAITING]
        if isinstance(sampler, EnqueuingSampler) and not self._optuna_study.get_trials(deepcopy=False, states=waiting):
            sampler.enqueue(self._optuna_study)
        return self._optuna_study.ask()

    def _plan(self, number: int, config: Config, *, params: Params) -> TrialPlan:
        stages = self._space.stages
        if self._study.search.explain != "every":
            stages = tuple(stage for stage in stages if stage != "explain")
        budget = self.context.budget
        reserved_j, reserved_s = self._reserved()
        bounds = self._pruner.bounds(
            number,
            params,
            front=self.front,
            cap_j=self._cap_j(config),
            left_j=(budget.left_j() - reserved_j) / self.context.engine.slots,
            left_s=budget.left_s() - reserved_s,
            is_untuned=config.digest in self._design,
        )
        return TrialPlan(
            trial=number,
            study=self._study,
            config=config,
            phase="search",
            stages=stages,
            folds=self._study.split.folds,
            bounds=bounds,
            cache=self.context.cache,
        )

    def _collect(self) -> None:
        if self._running:
            done, _ = wait(self._running, TICK_S, return_when=FIRST_COMPLETED)
        else:
            done = set[Future[TrialResult]]()
            time.sleep(TICK_S)
        self.context.events.on_tick()
        for future in sorted(done, key=lambda f: self._running[f].number):
            result = future.result()
            self.context.ledger.book(result)
            self._finish(self._running.pop(future), result)

    def _finish(self, trial: optuna.Trial, result: TrialResult) -> None:
        try:
            trial.set_user_attr("cemai", trial_attributes(result))  # before tell: finished trials are immutable
        except UpdateFinishedTrialError:
            return  # this driver sent no heartbeat for so long that another one has taken the trial over
        for key, value in self._shared_attributes(result).items():
            trial.set_user_attr(key, value)
        for name, violation in constraint_values(self._study, result).items():
            trial.set_constraint(name, violation)
        self._add(result)
        self.context.events.on_result(result, self._state())  # written first: a kill before tell loses no trial
        state, values = outcome_of(self._study, result)
        frozen = self._optuna_study.tell(trial, values, state=state)
        if result.has_run:
            log.info("trial %d (%s) %s, score %s", result.trial, result.model, result.state, result.score)
            self._add_candidates(self._candidates.of(result, frozen, history=self.history))
            self.history.count_stagnation()
            if len(self.front):
                self._worth.note(self.context.ledger.total_j(), self.front.best.score)

    def _shared_attributes(self, result: TrialResult) -> dict[str, Any]:
        """The user attributes that publish a trial to other drivers; none if there is no other driver."""
        return self._coordinator.attributes_of(result, self.context.ledger.driver_j()) if self._coordinator else {}

    def _add_earlier_candidates(self) -> None:
        """Adds learning-curve candidates that a killed session had no time to add."""
        trials = self._optuna_study.get_trials(deepcopy=False)
        for result in [r for r in self.results if r.curve is not None]:
            self._add_candidates(self._candidates.of(result, trials[result.trial], history=self.history))

    def _add_candidates(self, candidates: Sequence[TrialResult]) -> None:
        for candidate in candidates:
            self._add(candidate)
            self.context.events.on_result(candidate, self._state())

    def _state(self) -> SearchState:
        return SearchState(
            done=self.history.n_run,
            trials=self._study.search.trials,
            front=self.front,
            hypervolume=self.history.hypervolume,
            spent_g=self._study.carbon.grams(self.context.ledger.total_j()),
        )


def outcome_of(study: ResolvedStudy, result: TrialResult) -> tuple[TrialState, list[float] | None]:
    """State and objective values of a finished trial, in Optuna's terms."""
    if not result.is_complete or result.score is None:
        return _STATES[result.state], None
    return TrialState.COMPLETE, [result.score, objective_g(study, result)]


def _repeat_of(known: TrialResult, number: int) -> TrialResult:
    """The known result under a new number, with nothing spent."""
    return replace(known, trial=number, spent=Cost(), reason=f"{REPEAT}{known.trial}", curve=None)


def _skipped(number: int, config: Config, *, reason: str) -> TrialResult:
    """A trial that was not worth running."""
    return TrialResult(trial=number, state=PRUNED, config=config, reason=f"{SKIPPED}{reason}")
