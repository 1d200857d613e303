"""The first trials of a search: every model with its library's defaults, cheapest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cemai_opt.core.errors import StudyError
from cemai_opt.core.front import Front, Point
from cemai_opt.core.genes import Value
from cemai_opt.core.result import TrialResult
from cemai_opt.core.space import MODEL, SearchSpace
from cemai_opt.models import MODELS

FEATURE_ENGINEERING: Mapping[str, Value] = {"featurize.rolling": "mean_std_range"}
"""The slides' "w/FE", with three statistics that are cheap and seldom useless."""
VARIANTS: tuple[Mapping[str, Value], ...] = ({}, FEATURE_ENGINEERING)


def initial_design(space: SearchSpace) -> list[dict[str, Value]]:
    """Genomes of every model without and with feature engineering, in order of expected cost, no two alike.

    A default ridge on rolling features can beat every searched tree at a hundredth of the grams, so it comes first.
    """
    cheapest_first = sorted(space.models, key=lambda name: (MODELS.find(name).cost_rank, name))
    genomes: dict[str, dict[str, Value]] = {}
    for model in cheapest_first:
        for variant in VARIANTS:
            wished = {**MODELS.find(model).design, **variant, MODEL: model}
            genome = space.complete(_inside(space, wished))
            genomes.setdefault(space.active(genome).digest, genome)
    return list(genomes.values())


def baseline_of(space: SearchSpace, points: Sequence[Point], results: Sequence[TrialResult]) -> int | None:
    """The trial that stands for "no search at all": the knee among the first trials, which nobody tuned."""
    untuned = {space.active(genome).digest for genome in initial_design(space)}
    trials = {result.trial for result in results if result.config.digest in untuned}
    front = Front.of(point for point in points if point.trial in trials)
    return front.knee.trial if len(front) else None


def _inside(space: SearchSpace, wished: Mapping[str, Value]) -> dict[str, Value]:
    """The wishes that the space leaves open; a narrower space overrules the rest."""
    kept: dict[str, Value] = {MODEL: wished[MODEL]}
    for name, value in wished.items():
        gene = space.genes.get(name)
        if gene is None or not gene.searched:
            continue
        try:
            kept[name] = gene.check(value)
        except StudyError:  # narrowed away
            continue
    return kept
