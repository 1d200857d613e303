"""Translates the search space into Optuna's words."""

from __future__ import annotations

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from cemai_opt.core.genes import Gene, Value
from cemai_opt.core.space import SearchSpace


def distribution(gene: Gene) -> BaseDistribution:
    """Optuna's distribution over a gene's range."""
    if gene.choices:
        return CategoricalDistribution(gene.choices)
    if gene.is_integer:
        return IntDistribution(int(gene.low), int(gene.high), log=gene.log)
    return FloatDistribution(gene.low, gene.high, log=gene.log)


def suggest(trial: optuna.Trial, space: SearchSpace) -> dict[str, Value]:
    """A genome, each open gene asked for only where the genes before it make it matter."""
    genome: dict[str, Value] = {}
    for name, gene in space.genes.items():
        if not space.is_active(name, genome):
            continue
        genome[name] = _asked(trial, name, gene) if gene.searched else gene.default
    return genome


def _asked(trial: optuna.Trial, name: str, gene: Gene) -> Value:
    if gene.choices:
        return gene.check(trial.suggest_categorical(name, gene.choices))  # type: ignore[arg-type]  # never None
    if gene.is_integer:
        return trial.suggest_int(name, int(gene.low), int(gene.high), log=gene.log)
    return trial.suggest_float(name, gene.low, gene.high, log=gene.log)
