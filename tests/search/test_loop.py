"""The loop: budget, failures, repeats, resume."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import optuna
import pytest

from benchmarks.samplers import search
from cemai_opt.core.front import Box, Front
from cemai_opt.core.result import FAILED
from cemai_opt.core.space import MODEL
from cemai_opt.core.spending import joules_by
from cemai_opt.search import open_study
from cemai_opt.search.design import initial_design
from cemai_opt.search.samplers import SAMPLERS, Budget
from tests.search.rehearsal import PaperEngine, rehearse, space_of


def test_a_failed_trial_is_recorded_and_the_search_goes_on(tmp_path: Path) -> None:
    """Its reason stays, its joules are in the ledger, its score is no number."""
    search = rehearse(tmp_path, engine=PaperEngine(fails=True))
    failed = [r for r in search.results if r.state == FAILED]
    assert failed
    assert all(r.score is None and r.reason == "train: ValueError: no" for r in failed)
    assert sum(r.is_complete for r in search.results) + len(failed) == 40
    assert joules_by("entry", search._ledger.spent())["failed"] == pytest.approx(len(failed) * 1.0)


def test_optuna_knows_both_objectives_by_name(tmp_path: Path) -> None:
    """The stock dashboard reads the storage: directions, names, values, states."""
    search = rehearse(tmp_path, engine=PaperEngine(fails=True))
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(tmp_path / "optuna.journal"))
    )
    study = optuna.load_study(study_name="paper", storage=storage)
    assert study.metric_names == ["r2", "gCO2eq"]
    assert [d.name for d in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    counts = Counter(trial.state.name for trial in study.trials)
    assert counts["FAIL"] == sum(r.state == FAILED for r in search.results)
    assert counts["RUNNING"] == counts["WAITING"] == 0
    assert {t.number for t in study.best_trials} >= {p.trial for p in search._front}


def test_a_search_that_is_resumed_goes_on(tmp_path: Path) -> None:
    """Finished trials are not run again, and are parents of the next ones."""
    first = rehearse(tmp_path, trials=20)
    second = rehearse(tmp_path, trials=45, earlier=first.results)
    assert second.results[:20] == first.results
    digests = [r.config.digest for r in second.results if not r.reason]
    assert len(digests) == len(set(digests)) == 45
    assert max(_generations(tmp_path).values()) >= 1


def test_what_a_killed_session_had_begun_is_tried_again(tmp_path: Path) -> None:
    """First trials that were running when the process died are in line again, each once."""
    first = rehearse(tmp_path, trials=3)
    for _ in range(2):  # two trials of the design that never came to an end
        first._optuna.ask()
    again = rehearse(tmp_path, trials=12, earlier=first.results)
    design = [space_of().active(genome) for genome in initial_design(space_of())]
    ran = [r.config for r in again.results if not r.is_repeat]
    assert all(ran.count(config) == 1 for config in design)


def test_what_dies_with_its_owner_is_tried_again_once(tmp_path: Path) -> None:
    """Its parameters are in line again after the first death, and not after the second: it may be what kills."""
    distribution = {"x": optuna.distributions.IntDistribution(0, 9)}
    params = []
    for n_waiting in (1, 0):
        study = open_study(tmp_path, "paper", ("r2", "gCO2eq"), optuna.samplers.RandomSampler())
        params.append(study.ask(distribution).params)
        again = open_study(tmp_path, "paper", ("r2", "gCO2eq"), optuna.samplers.RandomSampler())
        states = Counter(trial.state.name for trial in again.get_trials(deepcopy=False))
        assert states["RUNNING"] == 0
        assert states["WAITING"] == n_waiting
    assert params[0] == params[1]


def test_what_was_pruned_or_failed_is_not_tried_again(tmp_path: Path) -> None:
    """A trial that was finished before its owner died, and had not been told to Optuna, ends as it had ended."""
    state = optuna.trial.TrialState
    study = open_study(tmp_path, "paper", ("r2", "gCO2eq"), optuna.samplers.RandomSampler())
    for _ in range(2):
        study.ask({"x": optuna.distributions.IntDistribution(0, 9)})
    finished = {0: (state.PRUNED, None), 1: (state.FAIL, None)}
    again = open_study(tmp_path, "paper", ("r2", "gCO2eq"), optuna.samplers.RandomSampler(), finished)
    assert [trial.state for trial in again.get_trials()] == [state.PRUNED, state.FAIL]


def test_a_finished_trial_that_optuna_does_not_know_yet_becomes_known(tmp_path: Path) -> None:
    """A kill between keeping and telling leaves a trial running; its values are told on resume."""
    rehearse(tmp_path, trials=10)
    study = open_study(tmp_path, "paper", ("r2", "gCO2eq"), optuna.samplers.RandomSampler())
    begun = study.ask()
    again = open_study(
        tmp_path,
        "paper",
        ("r2", "gCO2eq"),
        optuna.samplers.RandomSampler(),
        {begun.number: (optuna.trial.TrialState.COMPLETE, (0.7, 0.1))},
    )
    assert again.trials[begun.number].values == [0.7, 0.1]


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS.names if name != "gp"])  # seconds a suggestion
def test_every_sampler_goes_on_after_a_resume(sampler: str, tmp_path: Path) -> None:
    """The second session does not draw again what the first one drew."""
    first = rehearse(tmp_path, sampler, trials=30)
    second = rehearse(tmp_path, sampler, trials=60, earlier=first.results)
    assert sum(not r.is_repeat for r in second.results) == 60


def test_a_small_space_ends_the_search(tmp_path: Path) -> None:
    """When nothing new is left, the search says so instead of asking for ever."""
    from cemai_opt import compose
    from cemai_opt.core.space import Lens
    from cemai_opt.meters.cpu_time import CpuTime
    from cemai_opt.search import Ledger, Search
    from tests.search.rehearsal import study_of

    genes = {name: gene.default for name, gene in space_of(("ridge",)).genes.items() if name != MODEL}
    genes["scale.input"] = ["none", "standard"]
    space = compose.build_space(Lens(models=("ridge",), genes=genes), "test", "regression")
    sampler = SAMPLERS.require("random")().build(space, Budget(100, 0))
    study = open_study(tmp_path, "paper", ("r2", "gCO2eq"), sampler)
    ledger = Ledger([CpuTime(clock=lambda: 0.0, watts=1.0)], start_j=0.0)
    search = Search(study_of(100), space, study, PaperEngine(), ledger)
    assert "used up" in search.run()
    assert len(search.points) == 2


def test_time_is_a_budget_too(tmp_path: Path) -> None:
    """No trial starts after the timeout."""
    from itertools import count

    from cemai_opt.meters.cpu_time import CpuTime
    from cemai_opt.search import Allowance, Ledger, Search
    from tests.search.rehearsal import study_of

    space, ticks = space_of(), count()
    sampler = SAMPLERS.require("random")().build(space, Budget(100, 0))
    ledger = Ledger([CpuTime(clock=lambda: 0.0, watts=1.0)], start_j=0.0)
    search = Search(
        study_of(100, timeout_s=20.0),
        space,
        open_study(tmp_path, "paper", ("r2", "gCO2eq"), sampler),
        PaperEngine(),
        ledger,
        Allowance(study_of(100, timeout_s=20.0), ledger, 0.0, clock=lambda: float(next(ticks))),
    )
    assert search.run() == "20 s are over"
    assert 2 <= len(search.results) < 30


def _generations(folder: Path) -> dict[int, int]:
    """Generation of each trial, as Optuna keeps it."""
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(folder / "optuna.journal")))
    study = optuna.load_study(study_name="paper", storage=storage)
    key = "BranchAwareNSGAIISampler:generation"
    return {t.number: t.system_attrs[key] for t in study.trials if key in t.system_attrs}


def test_warm_starts_are_parents(tmp_path: Path) -> None:
    """The initial design belongs to the first generation, and later trials to later ones."""
    rehearse(tmp_path, trials=60)
    generations = _generations(tmp_path)
    assert generations[0] == 0
    assert max(generations.values()) >= 2


def test_hyperparameters_of_a_model_are_inherited(tmp_path: Path) -> None:
    """Most values of a child's own model are those of an earlier trial, which stock NSGA-II never does."""

    def inherited_share(sampler: str) -> float:
        search = rehearse(tmp_path / sampler, sampler, trials=120)
        seen: set[tuple[str, object]] = set()
        inherited = total = 0
        for result in search.results:
            genes = {
                (f"{result.model}.{k}", v) for k, v in result.config.params("train").items() if isinstance(v, float)
            }
            if result.trial >= 60:
                inherited, total = inherited + len(genes & seen), total + len(genes)
            seen |= genes
        return inherited / total

    assert inherited_share("nsga2") > 0.4
    assert inherited_share("nsga2_stock") < 0.1


def test_evolution_beats_chance() -> None:
    """After 150 trials the branch-aware NSGA-II is ahead of random draws with most seeds."""
    wins = 0
    for seed in range(4):
        ours, chance = (search(sampler, 1, seed, 150) for sampler in ("nsga2", "random"))
        box = Box.around([*ours, *chance])
        wins += Front.of(ours).hypervolume(box) > Front.of(chance).hypervolume(box)
    assert wins >= 3
