"""NSGA-II that evolves the hyperparameters of each model."""

from __future__ import annotations

from pathlib import Path

from benchmarks.samplers import search
from cemai_opt.core.front import Box, ParetoFront
from cemai_opt.testing.searches import run_search


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
