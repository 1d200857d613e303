"""Asks the sampler, runs the trial, tells the result: until trials or time are used up."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from cemai_opt.core.front import Box, Front, Point
from cemai_opt.core.genes import Value
from cemai_opt.core.measurement import Cost
from cemai_opt.core.objective import objective_g, wanted_of
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.result import COMPLETE, FAILED, PRUNED, REPEAT, SKIPPED, TrialResult
from cemai_opt.core.space import MODEL, SearchSpace
from cemai_opt.core.spec import StudySpec
from cemai_opt.engines import Engine
from cemai_opt.search.allowance import Allowance
from cemai_opt.search.design import initial_design
from cemai_opt.search.exchange import Exchange
from cemai_opt.search.harvest import Harvest, bounds_of, summary_of
from cemai_opt.search.ledger import Ledger
from cemai_opt.search.outlook import Outlook
from cemai_opt.search.samplers import Budget
from cemai_opt.search.storage import settle
from cemai_opt.search.suggest import suggest

TICK_S = 1.0
"""So often a search that waits looks up from it."""
MAX_IDLE_IN_A_ROW = 50
"""So many suggestions in a row for which nothing ran: what is left of the space is known, or of no use."""
WORTH_WHILE = 0.001
"""A gain of hypervolume below this is none, for `patience`."""

INTERRUPTED = "interrupted"
"""Why a search ended that was told to stop: its front so far stands."""

_STATES = {COMPLETE: TrialState.COMPLETE, PRUNED: TrialState.PRUNED, FAILED: TrialState.FAIL}


@dataclass(frozen=True)
class SearchState:
    """What the progress line shows."""

    done: int
    trials: int
    front: Front
    hypervolume: float
    spent_g: float


class Search:
    """One search over one study. Results of earlier sessions are taken as known, and not run again."""

    def __init__(
        self,
        study: StudySpec,
        space: SearchSpace,
        optuna_study: optuna.Study,
        engine: Engine,
        ledger: Ledger,
        allowance: Allowance | None = None,
        earlier: Sequence[TrialResult] = (),
        on_result: Callable[[TrialResult, SearchState], None] = lambda result, state: None,
        budget: Budget | None = None,
        cache: str | None = None,
        exchange: Exchange | None = None,
        on_tick: Callable[[], None] = lambda: None,
    ) -> None:
        """`exchange` is there where other drivers search in the same study; `on_tick` is called now and then."""
        self._study, self._space, self._optuna = study, space, optuna_study
        self._engine, self._ledger, self._on_result, self._cache = engine, ledger, on_result, cache
        self._exchange, self._on_tick = exchange, on_tick
        self._allowance = allowance or Allowance(study, ledger, time.monotonic())
        self._design = initial_design(space)
        self._outlook, self._harvest = Outlook(study, space), Harvest(study, space, optuna_study, self._posted)
        self._by_digest: dict[str, TrialResult] = {}
        self._by_trial: dict[int, TrialResult] = {}
        self._numbers: set[int] = set()
        self._seen = budget.seen if budget is not None else set()
        if budget is not None:
            budget.gate.append(self.is_affordable)
        self.results: list[TrialResult] = []
        self.points: list[Point] = []
        """Useful complete trials in the plane of the objectives, repeats left out."""
        self._front, self._box = Front(()), Box.around(())
        self._stagnation = Stagnation(study.search.patience)
        self._n_run, self._spent_j = 0, 0.0  # by trials alone: a replayed search takes the same turns
        for result in earlier:
            self._know(result)
        self._running: dict[Future[TrialResult], optuna.Trial] = {}
        self._idle_in_a_row = 0

    def run(self) -> str:
        """Runs the search and returns why it ended, in words."""
        try:
            return self._run()
        except KeyboardInterrupt:
            for trial in self._running.values():
                settle(self._optuna, trial.number)
            return INTERRUPTED

    def _run(self) -> str:
        self._harvest_earlier()
        self._queue = self._untried_design()
        while True:
            self._hear()
            reason = self._reason_to_stop()
            is_full = self._n_begun() >= self._study.search.trials
            if reason is None and not is_full and len(self._running) < self._engine.slots:
                self._ask()
            elif self._running or (reason is None and self._n_begun() > self._n_run):
                self._collect()
            else:
                return reason or f"{self._study.search.trials} trials are done"

    def _n_begun(self) -> int:
        """Trials that have run or are running, here and elsewhere."""
        elsewhere = len(self._exchange.elsewhere()) if self._exchange else 0
        return self._n_run + len(self._running) + elsewhere

    def _hear(self) -> None:
        """Takes in what other drivers have finished."""
        if self._exchange is None:
            return
        self._exchange.beat(self._running.values())
        for result in self._exchange.news(self._numbers):
            self._ledger.book_elsewhere(result)
            self._know(result)
            self._on_result(result, self._state())
            self._stagnation.see(self._front, self._box)
        self._ledger.others_j = self._exchange.drivers_j()

    def _know(self, result: TrialResult) -> None:
        """Takes a finished trial into everything that the search remembers."""
        self.results.append(result)
        self._numbers.add(result.trial)
        self._n_run += result.has_run
        self._spent_j += result.spent.energy_j
        if result.is_repeat or result.is_skipped:
            return
        self._by_digest[result.config.digest] = self._by_trial[result.trial] = result
        self._seen.add(result.config.digest)
        self._outlook.learn(result)
        if result.is_complete:
            point = _point(self._study, result)
            if wanted_of(self._study).violation(point) > 0.0:
                return
            self.points.append(point)
            self._front = Front.of([*self._front, point])
            self._box = self._box.with_point(point) if len(self.points) > 1 else Box.around([point])

    def _untried_design(self) -> list[dict[str, Value]]:
        """First trials that nobody has finished, begun or put in line.

        A trial that died with its owner is in line again as often as it should be, so it counts as well.
        """
        trials = self._optuna.get_trials(deepcopy=False)
        in_line = [trial.system_attrs.get("fixed_params") for trial in trials]
        return [
            genome
            for genome in self._design
            if self._space.active(genome).digest not in self._by_digest and self._open_genes(genome) not in in_line
        ]

    def _open_genes(self, genome: Mapping[str, Value]) -> dict[str, Value]:
        return {name: value for name, value in genome.items() if self._space.is_open(name, genome)}

    def _enqueue_affordable(self) -> None:
        """Puts the next first trial in line that is not too dear for now."""
        if self._exchange is not None:
            self._queue = self._untried_design()
        genome = next((genome for genome in self._queue if self.is_affordable(genome)), None)
        if genome is not None:
            self._queue.remove(genome)
            self._optuna.enqueue_trial(self._open_genes(genome))

    def is_affordable(self, genome: Mapping[str, Value]) -> bool:
        """May a pipeline be run now, as far as its cost can be foretold? A sampler may ask before it suggests."""
        model = str(genome[MODEL])
        return self._outlook.why_not(genome, model, self._front, self._cap_j()) is None

    def _cap_j(self) -> float:
        """Joules above which a trial is too dear for now."""
        progress = max(self._n_run / self._study.search.trials, self._allowance.share_used())
        return self._outlook.cap_j(self._front, self._spent_j, progress)

    def _reason_to_stop(self) -> str | None:
        search = self._study.search
        if self._idle_in_a_row >= MAX_IDLE_IN_A_ROW:
            return f"the last {MAX_IDLE_IN_A_ROW} suggestions were known or too dear: the space is used up"
        if self._stagnation.is_over:
            return f"{search.patience} trials in a row have gained no hypervolume"
        return self._allowance.why_over(*self._held_back())

    def _held_back(self) -> tuple[float, float]:
        return self._allowance.held_back(self._by_trial[point.trial] for point in self._front)

    def _ask(self) -> None:
        self._enqueue_affordable()
        trial = self._optuna.ask()
        genome = suggest(trial, self._space)
        config = self._space.active(genome)
        known = self._by_digest.get(config.digest)
        reason = self._outlook.why_not(genome, config.model, self._front, self._cap_j())
        if known is not None or reason is not None:
            self._idle_in_a_row += 1
            self._seen.add(config.digest)
            idle = _repeat_of(known, trial.number) if known else _skipped(trial.number, config, reason or "")
            self._finish(trial, idle)
            return
        self._idle_in_a_row = 0
        self._seen.add(config.digest)
        if self._exchange is not None and not self._exchange.claim(trial, config.digest):
            self._finish(trial, _skipped(trial.number, config, "another driver has it"))
            return
        try:
            self._running[self._engine.run(self._plan(trial.number, config))] = trial
        except KeyboardInterrupt:
            settle(self._optuna, trial.number)
            raise

    def _plan(self, number: int, config: Config) -> TrialPlan:
        stages = self._space.stages
        if self._study.search.explain != "every":
            stages = tuple(stage for stage in stages if stage != "explain")
        held_j, held_s = self._held_back()
        left_j = (self._allowance.left_j() - held_j) / self._engine.slots
        left_s = self._allowance.left_s() - held_s
        limits = self._outlook.limits(number, config.model, self._front, self._cap_j(), left_j, left_s)
        folds = self._study.split.folds or 1
        return TrialPlan(number, self._study, config, "search", stages, folds, limits, self._cache)

    def _collect(self) -> None:
        if self._running:
            done, _ = wait(self._running, TICK_S, return_when=FIRST_COMPLETED)
        else:
            done = set[Future[TrialResult]]()
            time.sleep(TICK_S)
        self._on_tick()
        for future in sorted(done, key=lambda f: self._running[f].number):
            result = future.result()
            self._ledger.book(result)
            self._finish(self._running.pop(future), result)

    def _finish(self, trial: optuna.Trial, result: TrialResult) -> None:
        try:
            trial.set_user_attr("cemai", summary_of(result))  # before tell: Optuna seals finished trials
        except UpdateFinishedTrialError:
            return  # this driver was away for so long that another one has taken the trial over
        for key, value in self._posted(result).items():
            trial.set_user_attr(key, value)
        for name, missed in bounds_of(self._study, result).items():
            trial.set_constraint(name, missed)
        self._know(result)
        self._on_result(result, self._state())  # kept first: a kill before tell loses no finished trial
        state, values = outcome_of(self._study, result)
        frozen = self._optuna.tell(trial, values, state=state)
        if result.has_run:
            self._take_in(self._harvest.of(result, frozen, self._front, self._by_digest))
            self._stagnation.see(self._front, self._box)

    def _posted(self, result: TrialResult) -> dict[str, Any]:
        """What other drivers are told of a trial, if there are any."""
        return self._exchange.post(result, self._ledger.driver_j()) if self._exchange else {}

    def _harvest_earlier(self) -> None:
        """Takes in what a killed session had no time to harvest."""
        trials = self._optuna.get_trials(deepcopy=False)
        for result in [r for r in self.results if r.curve is not None]:
            self._take_in(self._harvest.of(result, trials[result.trial], self._front, self._by_digest))

    def _take_in(self, children: Sequence[TrialResult]) -> None:
        for child in children:
            self._know(child)
            self._on_result(child, self._state())

    def _state(self) -> SearchState:
        return SearchState(
            done=self._n_run,
            trials=self._study.search.trials,
            front=self._front,
            hypervolume=self._front.hypervolume(self._box),
            spent_g=self._study.carbon.grams(self._ledger.total_j()),
        )


class Stagnation:
    """Counts trials in a row that gained no hypervolume worth the name."""

    def __init__(self, patience: int | None) -> None:
        self._patience, self._n_idle, self._front = patience, 0, Front(())

    def see(self, front: Front, box: Box) -> None:
        """Takes note of the front after one more trial."""
        if front.hypervolume(box) - self._front.hypervolume(box) > WORTH_WHILE:
            self._front, self._n_idle = front, 0
        else:
            self._n_idle += 1

    @property
    def is_over(self) -> bool:
        """Has patience run out?"""
        return self._patience is not None and self._n_idle >= self._patience


def outcome_of(study: StudySpec, result: TrialResult) -> tuple[TrialState, list[float] | None]:
    """State and objectives of a finished trial as Optuna is told."""
    if not result.is_complete or result.score is None:
        return _STATES[result.state], None
    return TrialState.COMPLETE, [result.score, objective_g(study, result)]


def _point(study: StudySpec, result: TrialResult) -> Point:
    """A complete trial in the plane of the objectives."""
    assert result.score is not None, "a complete trial has a score"
    return Point(result.trial, result.score, objective_g(study, result))


def _repeat_of(known: TrialResult, number: int) -> TrialResult:
    """The known result under a new number, with nothing spent."""
    return replace(known, trial=number, spent=Cost(), reason=f"{REPEAT}{known.trial}", curve=None)


def _skipped(number: int, config: Config, reason: str) -> TrialResult:
    """A trial that was not worth running."""
    return TrialResult(number, PRUNED, config, Cost(), Cost(), reason=f"{SKIPPED}{reason}")
