"""The first trials of a search: every model with its library's defaults, cheapest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cemai_opt.core.errors import StudyError
from cemai_opt.core.front import ParetoFront, Point
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.result import TrialResult
from cemai_opt.core.space import MODEL, SearchSpace
from cemai_opt.models import MODELS

FEATURE_ENGINEERING: Mapping[str, Value] = {"featurize.rolling": "mean_std_range"}
"""Variant "w/FE" of the slides, with three statistics that are cheap and usually useful."""
VARIANTS: tuple[Mapping[str, Value], ...] = ({}, FEATURE_ENGINEERING)


def initial_design(space: SearchSpace) -> list[dict[str, Value]]:
    """Configurations of every model without and with feature engineering, by expected cost, without duplicates.

    Ridge with its defaults on rolling features can beat every tuned tree at a hundredth of the grams: it comes first.
    """
    cheapest_first = sorted(space.models, key=lambda name: (MODELS.find(name).cost_rank, name))
    candidates: dict[str, dict[str, Value]] = {}
    for model in cheapest_first:
        for variant in VARIANTS:
            wished = {**MODELS.find(model).design, **variant, MODEL: model}
            params = space.complete(_inside(space, wished))
            candidates.setdefault(space.active(params).digest, params)
    return list(candidates.values())


def baseline_of(space: SearchSpace, points: Sequence[Point], *, results: Sequence[TrialResult]) -> int | None:
    """The baseline trial, equivalent to no search: the knee of the front of the untuned initial design, if any."""
    untuned = {space.active(params).digest for params in initial_design(space)}
    trials = {result.trial for result in results if result.config.digest in untuned}
    front = ParetoFront.of(point for point in points if point.trial in trials)
    return front.knee.trial if len(front) else None


def _inside(space: SearchSpace, wished: Mapping[str, Value]) -> dict[str, Value]:
    """The values that the search space allows; those that a narrower space excludes are dropped."""
    kept: dict[str, Value] = {MODEL: wished[MODEL]}
    for name, value in wished.items():
        hyperparameter = space.hyperparameters.get(name)
        if hyperparameter is None or not hyperparameter.searched:
            continue
        try:
            kept[name] = hyperparameter.check(value)
        except StudyError:  # narrowed away
            continue
    return kept
