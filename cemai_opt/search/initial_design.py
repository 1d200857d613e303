"""The first trials of a search: a portfolio that was learned from other data sets, then models that it lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cemai_opt.core.errors import StudyError
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.plan import Config
from cemai_opt.core.result import TrialResult
from cemai_opt.core.space import MODEL, Params, SearchSpace
from cemai_opt.models import MODELS
from cemai_opt.runs.dummy import DummyScore
from cemai_opt.runs.front import MAX_LOSS, beats
from cemai_opt.stages.scale import LOG, TARGET

FEATURE_ENGINEERING: Mapping[str, Value] = {"featurize.rolling": "mean_std_range"}
"""Variant "w/FE" of the slides, with three statistics that are cheap and usually useful."""
LOG_TARGET: Mapping[str, Value] = {TARGET: LOG}
"""Where the target's logarithm is searched: also tried with each configuration of the portfolio without features."""
VARIANTS: tuple[Mapping[str, Value], ...] = ({}, FEATURE_ENGINEERING)


def initial_design(space: SearchSpace, portfolio: Sequence[Params] = ()) -> list[dict[str, Value]]:
    """The configurations of the portfolio in its order, then every model that it lacks, without and with features.

    Values that a narrower search space excludes are replaced by defaults, and duplicates are left out, such as all with
    the logarithm of the target where it is not searched. Models that the portfolio lacks come by expected cost, with
    the defaults of their libraries.
    """
    lacking = set(space.models) - {params[MODEL] for params in portfolio}
    defaults = [
        {**MODELS.find(str(model)).design, **variant, MODEL: model}
        for model in sorted(lacking, key=lambda name: (MODELS.find(str(name)).cost_rank, str(name)))
        for variant in VARIANTS
    ]
    plain = [params for params in portfolio if not any(name.startswith("featurize.") for name in params)]
    return fitted_in(space, [*portfolio, *({**params, **LOG_TARGET} for params in plain), *defaults])


def fitted_in(space: SearchSpace, wished: Sequence[Params]) -> list[dict[str, Value]]:
    """The configurations whose model the space has, complete and without duplicates, values inside its ranges."""
    design: dict[str, dict[str, Value]] = {}
    for params in wished:
        if params[MODEL] in space.models:
            complete = space.complete(_inside(space, params))
            design.setdefault(space.active(complete).digest, complete)
    return list(design.values())


def by_digest(space: SearchSpace, design: Sequence[Params]) -> dict[str, tuple[Params, Config]]:
    """Configurations as hyperparameters and as pipelines, by the digest of the pipeline."""
    return {config.digest: (params, config) for params in design for config in (space.active(params),)}


def untuned_of(results: Sequence[TrialResult], *, space: SearchSpace, portfolio: Sequence[Params] = ()) -> list[int]:
    """Trials of the initial design, whose hyperparameters no search has tuned."""
    untuned = {space.active(params).digest for params in initial_design(space, portfolio)}
    return [result.trial for result in results if result.config.digest in untuned and not result.is_repeat]


def bounded_of(results: Sequence[TrialResult], untuned: Sequence[int]) -> list[int]:
    """Of untuned trials, those whose predictions stay among the targets of the training rows.

    With two or three groups nothing tells how a model extrapolates to another one: docs/decisions/selection.md.
    """
    is_bounded = {result.trial: MODELS.find(result.model).is_bounded for result in results if result.is_complete}
    return [trial for trial in untuned if is_bounded.get(trial, False)]


def baseline_of(
    results: Sequence[TrialResult],
    untuned: Sequence[int],
    *,
    bounded: Sequence[int] = (),
    dummy: DummyScore | None = None,
) -> int | None:
    """The baseline, equivalent to no search: the untuned trial with the best score, less one standard error.

    Only confirmed scores count, unless there are none. If the best of the `bounded` ones is better than a constant, the
    greenest of them that is as good comes before all others: few groups do not tell them apart.
    """
    best = _best_of(results, bounded)
    if best is not None and beats(best, dummy):
        least = (best.score or 0.0) - MAX_LOSS
        as_good = [result for result in _known(results, bounded) if (result.score or 0.0) >= least]
        return min(as_good, key=lambda result: result.cost.energy_j).trial
    best = _best_of(results, untuned)
    return best.trial if best is not None else None


def _best_of(results: Sequence[TrialResult], trials: Sequence[int]) -> TrialResult | None:
    return max(_known(results, trials), key=lambda r: (r.score or 0.0) - r.score_error, default=None)


def _known(results: Sequence[TrialResult], trials: Sequence[int]) -> list[TrialResult]:
    """Those of the trials that were confirmed; all complete ones if none was."""
    known = [r for r in results if r.trial in set(trials) and r.is_complete and r.score is not None]
    return [result for result in known if result.is_confirmed] or known


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
