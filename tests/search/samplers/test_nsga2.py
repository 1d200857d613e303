"""NSGA-II that evolves the hyperparameters of each model."""

from __future__ import annotations

from pathlib import Path

import optuna

from benchmarks.samplers import search
from cemai_opt.core.front import Box, ParetoFront
from cemai_opt.core.space import MODEL
from cemai_opt.search.samplers import SamplerContext
from cemai_opt.search.samplers.nsga2 import SteadyStateSampler
from cemai_opt.search.storage.study import JOURNAL
from cemai_opt.search.suggest import suggest
from cemai_opt.testing.searches import run_search, space_of


def test_hyperparameters_of_a_model_are_inherited(tmp_path: Path) -> None:
    """Most values of a child's own model are those of an earlier trial, which stock NSGA-II never does."""

    def inherited_share(sampler: str) -> float:
        search = run_search(tmp_path / sampler, sampler=sampler, trials=120)
        seen: set[tuple[str, object]] = set()
        inherited = total = 0
        for result in search.results:
            hyperparameters = {
                (f"{result.model}.{k}", v) for k, v in result.config.params("train").items() if isinstance(v, float)
            }
            if result.trial >= 60:
                inherited, total = inherited + len(hyperparameters & seen), total + len(hyperparameters)
            seen |= hyperparameters
        return inherited / total

    assert inherited_share("nsga2") > 0.4
    assert inherited_share("nsga2_stock") < 0.1


def test_evolution_beats_chance() -> None:
    """After 150 trials the branch-aware NSGA-II is ahead of random draws with most seeds."""
    wins = 0
    for seed in range(4):
        ours, chance = (search(sampler, 1, seed, 150) for sampler in ("nsga2", "random"))
        box = Box.around([*ours, *chance])
        wins += ParetoFront.of(ours).hypervolume(box) > ParetoFront.of(chance).hypervolume(box)
    assert wins >= 3


def test_a_child_is_one_entry_of_the_storage(tmp_path: Path) -> None:
    """Not one for each of its hyperparameters: those were half of the CPU time of a search."""
    n_trials = 60
    search = run_search(tmp_path, sampler="nsga2", trials=n_trials)
    enqueued = [trial for trial in search.context.optuna_study.trials if "fixed_params" not in trial.system_attrs]
    assert len(enqueued) > 40
    n_set = (tmp_path / JOURNAL).read_text().count('"param_name"')
    assert n_set == sum(
        len(trial.params) for trial in search.context.optuna_study.trials if "fixed_params" in trial.system_attrs
    )


def test_what_is_enqueued_is_what_a_trial_would_be_given() -> None:
    """The same child by either of Optuna's ways, and drivers of one study breed different ones for the same number."""
    space = space_of()

    def child(*, driver: str = "", enqueues: bool) -> dict[str, object]:
        sampler = SteadyStateSampler(space, SamplerContext(trials=20, seed=3, driver=driver))
        study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
        for number in range(6):
            if enqueues:
                sampler.enqueue(study)
            trial = study.ask()
            params = suggest(trial, space)
            assert set(trial.params) == {name for name in params if space.is_open(name, params)}
            study.tell(trial, [len(str(params[MODEL])) / 20, 1.0 + number])
        return dict(params)

    assert child(enqueues=True) == child(enqueues=False)
    assert child(driver="a", enqueues=True) != child(driver="b", enqueues=True)
