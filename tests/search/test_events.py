"""What a search reports while it runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cemai_opt.core.front import ParetoFront
from cemai_opt.core.result import TrialResult
from cemai_opt.search import CONFIRM, FINAL, Events, MemberLog, Remeasurement, Search, SearchState
from cemai_opt.search.race import Contender
from cemai_opt.testing.searches import FormulaEngine, search_in, study_of


class Recording(Events):
    """Keeps all events."""

    def __init__(self) -> None:
        self.results: list[tuple[TrialResult, SearchState]] = []
        self.phases: list[str] = []
        self.runs: list[tuple[str, int]] = []
        self.ticks = 0

    def on_result(self, result: TrialResult, state: SearchState) -> None:
        self.results.append((result, state))

    def on_phase(self, text: str) -> None:
        self.phases.append(text)

    def on_run(self, why: str, result: TrialResult) -> None:
        self.runs.append((why, result.trial))

    def on_tick(self) -> None:
        self.ticks += 1


def recorded(folder: Path) -> tuple[Search, Recording]:
    """A finished search and its events."""
    events = Recording()
    engine = FormulaEngine(has_curves=True, fails=True)
    context = search_in(folder, study_of(trials=25, confirm=2), engine=engine).context
    search = Search(replace(context, events=events))
    search.run()
    return search, events


def test_each_trial_is_reported_once_with_the_state_of_the_search(tmp_path: Path) -> None:
    """In order: run, failed, skipped, or from a learning curve; with the front and the grams until then."""
    search, events = recorded(tmp_path)
    assert [result for result, _ in events.results] == search.results
    assert [state.done for _, state in events.results] == [
        sum(r.has_run for r in search.results[: i + 1]) for i in range(len(search.results))
    ]
    spent = [state.spent_g for _, state in events.results]
    assert spent == sorted(spent)
    last = events.results[-1][1]
    assert (last.done, last.trials, last.front) == (25, 25, search.front)
    assert last.hypervolume == search.history.hypervolume
    assert events.ticks == 25


def test_each_run_after_the_search_is_reported(tmp_path: Path) -> None:
    """Two measurements and a test of the member, each phase in words."""
    search, events = recorded(tmp_path)
    front = ParetoFront(search.front.members[-1:])
    trial = front.best.trial
    remeasurement = Remeasurement(search.context, MemberLog())
    remeasurement.tested(remeasurement.confirmed(search.results, [Contender(trial=trial)]), [trial])
    assert events.runs == [(CONFIRM, trial), (CONFIRM, trial), (FINAL, trial)]
    assert events.phases == [
        "confirming front candidate 1 of 1 on 1 fold",
        "retraining pipeline 1 of 1 for its test score",
    ]


def test_events_need_not_be_used(tmp_path: Path) -> None:
    """By default each of them does nothing."""
    events = Events()
    search, recording = recorded(tmp_path)
    result, state = recording.results[0]
    events.on_result(result, state)
    events.on_phase("x")
    events.on_run(CONFIRM, result)
    events.on_tick()
    assert len(search.results) == len(recording.results)
