"""Asks the sampler, runs the trial, tells the result: until trials or time are used up."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace

import optuna
from optuna.trial import TrialState

from cemai_opt.core.front import Box, Front, Point
from cemai_opt.core.measurement import Cost
from cemai_opt.core.objective import objective_g
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.result import COMPLETE, FAILED, PRUNED, REPEAT, TrialResult
from cemai_opt.core.space import SearchSpace
from cemai_opt.core.spec import StudySpec
from cemai_opt.engines import Engine
from cemai_opt.search.design import initial_design
from cemai_opt.search.ledger import Ledger
from cemai_opt.search.suggest import suggest

MAX_REPEATS_IN_A_ROW = 50
"""So many suggestions in a row that were all known: the space is as good as used up."""

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
        earlier: Sequence[TrialResult] = (),
        on_result: Callable[[TrialResult, SearchState], None] = lambda result, state: None,
        seen: set[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._study, self._space, self._optuna = study, space, optuna_study
        self._engine, self._ledger, self._on_result = engine, ledger, on_result
        self._clock = clock
        self._by_digest: dict[str, TrialResult] = {}
        self._seen = seen if seen is not None else set()
        self.results: list[TrialResult] = []
        self.points: list[Point] = []
        """Complete trials in the plane of the objectives, repeats left out."""
        self._front, self._box = Front(()), Box.around(())
        for result in earlier:
            self._know(result)
        self._running: dict[Future[TrialResult], optuna.Trial] = {}
        self._repeats_in_a_row = 0

    def run(self) -> str:
        """Runs the search and returns why it ended, in words."""
        try:
            return self._run()
        except KeyboardInterrupt:
            for trial in self._running.values():
                self._optuna.tell(trial, state=TrialState.FAIL)
            return INTERRUPTED

    def _run(self) -> str:
        started = self._clock()
        self._enqueue_design()
        while True:
            reason = self._reason_to_stop(self._clock() - started)
            if reason is None and len(self._running) < self._engine.slots:
                self._ask()
            elif self._running:
                self._collect()
            elif reason is not None:
                return reason

    def _know(self, result: TrialResult) -> None:
        """Takes a finished trial into everything that the search remembers."""
        self.results.append(result)
        if result.is_repeat:
            return
        self._by_digest[result.config.digest] = result
        self._seen.add(result.config.digest)
        if result.is_complete and result.score is not None:
            point = Point(result.trial, result.score, objective_g(self._study, result))
            self.points.append(point)
            self._front = Front.of([*self._front, point])
            self._box = self._box.with_point(point) if len(self.points) > 1 else Box.around([point])

    def _enqueue_design(self) -> None:
        """Puts the first trials in line, but those that earlier sessions have finished or put there already."""
        waiting = [
            trial.system_attrs.get("fixed_params")
            for trial in self._optuna.get_trials(deepcopy=False, states=[TrialState.WAITING])
        ]
        for genome in initial_design(self._space):
            asked = {name: value for name, value in genome.items() if self._space.is_open(name, genome)}
            if self._space.active(genome).digest not in self._by_digest and asked not in waiting:
                self._optuna.enqueue_trial(asked)

    @property
    def _counted(self) -> int:
        """Finished trials that used up budget: repeats do not."""
        return len(self._by_digest)

    def _reason_to_stop(self, elapsed_s: float) -> str | None:
        search = self._study.search
        if self._counted + len(self._running) >= search.trials:
            return f"{search.trials} trials are done"
        if search.timeout_s is not None and elapsed_s >= search.timeout_s:
            return f"{search.timeout_s:g} s are over"
        if self._repeats_in_a_row >= MAX_REPEATS_IN_A_ROW:
            return f"the last {MAX_REPEATS_IN_A_ROW} suggestions were all known: the space is used up"
        return None

    def _ask(self) -> None:
        trial = self._optuna.ask()
        config = self._space.active(suggest(trial, self._space))
        known = self._by_digest.get(config.digest)
        if known is not None:
            self._repeats_in_a_row += 1
            self._finish(trial, _repeat_of(known, trial.number))
            return
        self._repeats_in_a_row = 0
        self._seen.add(config.digest)
        try:
            self._running[self._engine.run(self._plan(trial.number, config))] = trial
        except KeyboardInterrupt:
            self._optuna.tell(trial, state=TrialState.FAIL)
            raise

    def _plan(self, number: int, config: Config) -> TrialPlan:
        stages = self._space.stages
        if self._study.search.explain != "every":
            stages = tuple(stage for stage in stages if stage != "explain")
        return TrialPlan(number, self._study, config, "search", stages, self._study.split.folds or 1)

    def _collect(self) -> None:
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        for future in sorted(done, key=lambda f: self._running[f].number):
            result = future.result()
            self._ledger.book(result)
            self._finish(self._running.pop(future), result)

    def _finish(self, trial: optuna.Trial, result: TrialResult) -> None:
        trial.set_user_attr("cemai", _summary(result))  # before tell: Optuna seals finished trials
        values = [result.score, objective_g(self._study, result)] if result.is_complete else None
        self._know(result)
        self._on_result(result, self._state())  # kept first: a kill before tell loses no finished trial
        self._optuna.tell(trial, values, state=_STATES[result.state])  # type: ignore[arg-type]  # a complete result has a score

    def _state(self) -> SearchState:
        return SearchState(
            done=self._counted,
            trials=self._study.search.trials,
            front=self._front,
            hypervolume=self._front.hypervolume(self._box),
            spent_g=self._study.carbon.grams(self._ledger.total_j()),
        )


def _repeat_of(known: TrialResult, number: int) -> TrialResult:
    """The known result under a new number, with nothing spent."""
    return replace(known, trial=number, spent=Cost(), reason=f"{REPEAT}{known.trial}")


def _summary(result: TrialResult) -> dict[str, object]:
    """What the dashboard shows of a trial beside its parameters."""
    return {
        "model": result.model,
        "energy_j": result.cost.energy_j,
        "duration_s": result.cost.duration_s,
        "uncertainty_j": result.cost.uncertainty_j,
        "reason": result.reason,
    }
