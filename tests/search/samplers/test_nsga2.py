"""NSGA-II that evolves the hyperparameters of each model."""

from __future__ import annotations

from pathlib import Path

import optuna

from benchmarks.samplers import search
from cemai_opt.core.front import Box, ParetoFront
from cemai_opt.search.storage import read_journal
from cemai_opt.testing.searches import STUDY, run_search


def generations_of(folder: Path) -> dict[int, int]:
    """Generation of each trial, as Optuna keeps it."""
    study = optuna.load_study(study_name=STUDY, storage=read_journal(folder))
    key = "BranchAwareNSGAIISampler:generation"
    return {t.number: t.system_attrs[key] for t in study.trials if key in t.system_attrs}


def test_warm_starts_are_parents(tmp_path: Path) -> None:
    """The initial design belongs to the first generation, and later trials to later ones."""
    run_search(tmp_path, trials=60)
    generations = generations_of(tmp_path)
    assert generations[0] == 0
    assert max(generations.values()) >= 2


def test_a_resumed_search_goes_on_with_the_next_generation(tmp_path: Path) -> None:
    """Trials of the first session are parents of those of the second."""
    first = run_search(tmp_path, trials=20)
    run_search(tmp_path, trials=45, earlier=first.results)
    assert max(generations_of(tmp_path).values()) >= 1


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
