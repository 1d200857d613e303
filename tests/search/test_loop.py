"""The loop: budget, failures, repeats, resume."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from cemai_opt.core.ledger_entry import joules_by
from cemai_opt.core.result import FAILED
from cemai_opt.core.space import MODEL, SearchSpaceSpec
from cemai_opt.search import Search
from cemai_opt.search.initial_design import initial_design
from cemai_opt.search.samplers import SAMPLERS, EnqueuingSampler
from cemai_opt.search.storage import read_journal
from cemai_opt.spaces import build_space
from cemai_opt.testing.searches import STUDY, FormulaEngine, run_search, search_in, space_of, study_of


def test_a_failed_trial_is_recorded_and_the_search_goes_on(tmp_path: Path) -> None:
    """Its reason stays, its joules are in the ledger, its score is no number."""
    search = run_search(tmp_path, engine=FormulaEngine(fails=True))
    failed = [r for r in search.results if r.state == FAILED]
    assert failed
    assert all(r.score is None and r.reason == "train: ValueError: no" for r in failed)
    assert sum(r.is_complete for r in search.results) + len(failed) == 40
    assert joules_by("entry", search.context.ledger.spent())["failed"] == pytest.approx(len(failed) * 1.0)


def test_optuna_knows_both_objectives_by_name(tmp_path: Path) -> None:
    """The stock dashboard reads the storage: directions, names, values, states."""
    search = run_search(tmp_path, engine=FormulaEngine(fails=True))
    study = optuna.load_study(study_name=STUDY, storage=read_journal(tmp_path))
    assert study.metric_names == ["r2", "gCO2eq"]
    assert [d.name for d in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    counts = Counter(trial.state.name for trial in study.trials)
    assert counts["FAIL"] == sum(r.state == FAILED for r in search.results)
    assert counts["RUNNING"] == counts["WAITING"] == 0
    assert {t.number for t in study.best_trials} >= {p.trial for p in search.front}


def test_a_search_that_is_resumed_goes_on(tmp_path: Path) -> None:
    """Finished trials are not run again."""
    first = run_search(tmp_path, trials=20)
    second = run_search(tmp_path, trials=45, earlier=first.results)
    assert second.results[:20] == first.results
    digests = [r.config.digest for r in second.results if not r.reason]
    assert len(digests) == len(set(digests)) == 45


def test_what_a_killed_session_had_begun_is_tried_again(tmp_path: Path) -> None:
    """First trials that were running when the process died are in line again, each once."""
    first = run_search(tmp_path, trials=3)
    for _ in range(2):  # two trials of the design that never came to an end
        first.context.optuna_study.ask()
    again = run_search(tmp_path, trials=12, earlier=first.results)
    design = [space_of().active(params) for params in initial_design(space_of())]
    ran = [r.config for r in again.results if not r.is_repeat]
    assert all(ran.count(config) == 1 for config in design)


def test_a_trial_that_was_chosen_but_not_started_is_the_first_of_the_next_session(tmp_path: Path) -> None:
    """A process may die between the two entries of the storage."""
    first = run_search(tmp_path, trials=20)
    study = first.context.optuna_study
    assert isinstance(study.sampler, EnqueuingSampler)
    study.sampler.enqueue(study)
    again = run_search(tmp_path, trials=22, earlier=first.results)
    assert again.results[20].trial == len(first.results)
    assert [trial.state.name for trial in again.context.optuna_study.trials] == ["COMPLETE"] * len(again.results)


class Loading(FormulaEngine):
    """Notes the models that it should expect."""

    def __init__(self) -> None:
        super().__init__()
        self.expected: list[str] = []

    def expect(self, models: Sequence[str]) -> None:
        """Loads nothing."""
        self.expected += models


@pytest.mark.parametrize("trials", [2, 40])
def test_libraries_are_loaded_for_the_models_whose_turn_comes(tmp_path: Path, trials: int) -> None:
    """Those of networks take as long as dozens of trials."""
    portfolio, engine = [{MODEL: name} for name in ("ridge", "decision_tree", "xgboost")], Loading()
    context = search_in(tmp_path, study_of(trials=trials), engine=engine).context
    Search(replace(context, portfolio=portfolio)).run()
    assert engine.expected == ["ridge", "decision_tree", "xgboost"][:trials]


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS.names if name != "gp"])  # seconds a suggestion
def test_every_sampler_goes_on_after_a_resume(sampler: str, tmp_path: Path) -> None:
    """The second session does not draw again what the first one drew."""
    first = run_search(tmp_path, sampler=sampler, trials=30)
    second = run_search(tmp_path, sampler=sampler, trials=60, earlier=first.results)
    assert sum(not r.is_repeat for r in second.results) == 60


def test_a_small_space_ends_the_search(tmp_path: Path) -> None:
    """When nothing new is left, the search says so instead of asking for ever."""
    fixed = {name: h.default for name, h in space_of(("ridge",)).hyperparameters.items() if name != MODEL}
    spec = SearchSpaceSpec(models=("ridge",), hyperparameters={**fixed, "scale.input": ["none", "standard"]})
    space = build_space(spec, "test", task="regression")
    search = search_in(tmp_path, study_of(trials=100), sampler="random", space=space)
    assert "used up" in search.run()
    assert len(search.points) == 2


def test_the_same_seed_gives_the_same_search(tmp_path: Path) -> None:
    """With early stopping and learning curves, result by result."""
    runs = [
        run_search(tmp_path / name, engine=FormulaEngine(has_curves=True), rules={"stop_early": True})
        for name in ("a", "b")
    ]
    assert runs[0].results == runs[1].results


def test_patience_ends_a_search_that_gains_nothing(tmp_path: Path) -> None:
    """And says so."""
    search = run_search(tmp_path, trials=2000, rules={"patience": 25})
    assert search.run() == "25 trials in a row without a gain in hypervolume"
    assert sum(r.has_run for r in search.results) < 1000


@pytest.mark.parametrize("sampler", ["nsga2", "nsga2_stock", "tpe", "random", "optuna.samplers.NSGAIIISampler"])
def test_constraints_hold(sampler: str, tmp_path: Path) -> None:
    """No front member costs more or scores less than was asked for."""
    search = run_search(tmp_path, sampler=sampler, rules={"max_carbon_g": 1e-4, "min_score": 0.7})
    assert len(search.front)
    assert all(p.score >= 0.7 and p.carbon_g <= 1e-4 for p in search.front)
    assert len(search.points) < sum(r.is_complete for r in search.results)
