"""Two drivers on one study, on SQLite instead of a database server."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from cemai_opt.core.errors import StudyError
from cemai_opt.core.result import TrialResult
from cemai_opt.search import Search
from cemai_opt.search.samplers import SamplerContext, sampler_named
from cemai_opt.search.storage import open_study
from cemai_opt.search.storage.coordination import HEARTBEAT_S, StudyCoordinator, driver_of
from cemai_opt.search.storage.database import open_database
from cemai_opt.testing.searches import METRICS, STUDY, FormulaEngine, cost_of, search_in, space_of, study_of


def driver(
    folder: Path, name: str, sampler: optuna.samplers.BaseSampler | None = None
) -> tuple[optuna.Study, StudyCoordinator]:
    """A driver's own connection to the study in `folder`."""
    storage = open_database(f"sqlite:///{folder}/study.db", None)
    study = open_study(
        folder, STUDY, metrics=METRICS, sampler=sampler or optuna.samplers.RandomSampler(seed=0), storage=storage
    )
    return study, StudyCoordinator(study, storage, driver=name)


def search_of(folder: Path, name: str, *, trials: int) -> tuple[Search, FormulaEngine]:
    """A search by one driver, in a run folder of its own."""
    engine, resolved = FormulaEngine(has_curves=True), study_of(trials=trials)
    context = search_in(folder / name, resolved, engine=engine).context
    sampler = SamplerContext(trials=trials, seed=0, driver=name)
    study, coordinator = driver(folder, name, sampler_named("nsga2").build(space_of(), sampler))
    return Search(replace(context, optuna_study=study, coordinator=coordinator, sampler=sampler)), engine


def complete(trial: int) -> TrialResult:
    """A complete ridge that cost a joule."""
    config = space_of().active({"train.model": "ridge"})
    return TrialResult(trial=trial, state="complete", config=config, cost=cost_of(1.0), spent=cost_of(1.0), score=0.5)


def test_a_configuration_is_claimed_once(tmp_path: Path) -> None:
    """While one driver runs it, and after it has finished; another configuration is free."""
    (mine, a), (theirs, b) = driver(tmp_path, "a"), driver(tmp_path, "b")
    first, second, third = mine.ask(), theirs.ask(), theirs.ask()
    assert a.claim(first, "same")
    assert not b.claim(second, "same")
    assert b.claim(third, "other")
    for key, value in a.attributes_of(complete(first.number), 0.0).items():
        first.set_user_attr(key, value)
    mine.tell(first, [0.5, 1.0])
    assert not b.claim(second, "same")


def test_what_a_dead_driver_had_claimed_is_free_again(tmp_path: Path) -> None:
    """It ends its own trials when it comes back, not those of others."""
    (mine, a), (theirs, b) = driver(tmp_path, "a"), driver(tmp_path, "b")
    abandoned, running = mine.ask(), theirs.ask()
    assert a.claim(abandoned, "one")
    assert b.claim(running, "two")
    assert [trial.number for trial in a.elsewhere()] == [running.number]
    a.end_own_abandoned({})
    states = {trial.number: trial.state for trial in mine.get_trials()}
    assert (states[abandoned.number], states[running.number]) == (TrialState.FAIL, TrialState.RUNNING)
    assert b.claim(theirs.ask(), "one")


def test_two_searches_share_their_results_and_run_nothing_twice(tmp_path: Path) -> None:
    """The second driver gets the first one's results and goes on from there; both have the same front in the end."""
    first, engine_a = search_of(tmp_path, "a", trials=8)
    first.run()
    second, engine_b = search_of(tmp_path, "b", trials=16)
    second.run()
    ran = Counter(plan.config.digest for plan in [*engine_a.plans, *engine_b.plans])
    assert set(ran.values()) == {1}
    assert len(engine_a.plans) == len(engine_b.plans) == 8
    assert second.history.by_trial.items() >= first.history.by_trial.items()
    assert second.context.ledger.total_j() == pytest.approx(sum(result.spent.energy_j for result in second.results))
    first.run()
    assert first.front == second.front


def test_a_trial_that_ends_elsewhere_while_drivers_are_asked_is_waited_for(tmp_path: Path) -> None:
    """The last of eight trials ends just after it was seen running: the search has eight, not seven or nine."""
    theirs, b = driver(tmp_path, "b")
    search, _ = search_of(tmp_path, "a", trials=8)
    last = theirs.ask()
    assert b.claim(last, "theirs")

    class EndsMeanwhile(StudyCoordinator):
        def elsewhere(self) -> list[optuna.trial.FrozenTrial]:
            running = super().elsewhere()
            if search.history.n_run == 7 and running:
                for key, value in b.attributes_of(complete(last.number), 0.0).items():
                    last.set_user_attr(key, value)
                theirs.tell(last, [0.5, 1.0])
            return running

    storage = open_database(f"sqlite:///{tmp_path}/study.db", None)
    meanwhile = EndsMeanwhile(search.context.optuna_study, storage, driver="a")
    search = Search(replace(search.context, coordinator=meanwhile))
    search.run()
    assert search.history.n_run == 8


def test_drivers_of_one_study_ask_the_same(tmp_path: Path) -> None:
    """Other data, options or search space are refused."""
    (_, a), (_, b) = driver(tmp_path, "a"), driver(tmp_path, "b")
    a.check_settings({"score": "r2", "models": ("ridge",)})
    b.check_settings({"score": "r2", "models": ["ridge"]})
    with pytest.raises(StudyError, match="other data, options or search space"):
        b.check_settings({"score": "f1", "models": ["ridge"]})


def test_measurements_and_joules_of_other_drivers_are_known(tmp_path: Path) -> None:
    """Members that one has measured again, and what each has spent outside its trials, counted once."""
    (mine, a), (_, b) = driver(tmp_path, "a"), driver(tmp_path, "b")
    for i, driver_j in enumerate((5.0, 7.0)):
        trial = mine.ask()
        for key, value in a.attributes_of(complete(i), driver_j).items():
            trial.set_user_attr(key, value)
        mine.tell(trial, [0.5, 1.0])
    assert (a.drivers_j(), b.drivers_j()) == (0.0, 7.0)
    assert b.new_results({0}) == [complete(1)]
    assert b.member("confirm", 1) is None
    a.post_member("confirm", complete(1))
    assert b.member("confirm", 1) == complete(1)


def test_heartbeats_are_sent_at_intervals(tmp_path: Path) -> None:
    """Not with every call."""
    now = [0.0]
    storage = open_database(f"sqlite:///{tmp_path}/study.db", None)
    study = open_study(tmp_path, STUDY, metrics=METRICS, sampler=optuna.samplers.RandomSampler(), storage=storage)
    coordinator = StudyCoordinator(study, storage, driver="a", clock=lambda: now[0])
    asked: list[float] = []

    def running() -> list[optuna.Trial]:
        asked.append(now[0])
        return []

    class Lazily:
        """Notes when it is looked at."""

        def __iter__(self):  # type: ignore[no-untyped-def]  # of trials
            return iter(running())

    for now[0] in (0.0, 1.0, HEARTBEAT_S - 0.1, HEARTBEAT_S, HEARTBEAT_S + 1.0):
        coordinator.beat(Lazily())
    assert asked == [0.0, HEARTBEAT_S]


def test_a_driver_has_the_name_of_its_folder(tmp_path: Path) -> None:
    """The same in every session, however the path is written."""
    (tmp_path / "a").mkdir()
    assert driver_of(tmp_path / "a") == driver_of(tmp_path / "a" / ".." / "a") != driver_of(tmp_path / "b")
