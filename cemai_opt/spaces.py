"""Search spaces and portfolios: what the stages and models have, as far as a file allows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.hyperparameters import Hyperparameter, Value
from cemai_opt.core.shipped import document_of
from cemai_opt.core.space import MODEL, Params, SearchSpace, SearchSpaceSpec
from cemai_opt.models import MODELS
from cemai_opt.pipeline import stage_order
from cemai_opt.stages import STAGES
from cemai_opt.stages.scale import LOG, TARGET

PORTFOLIOS = "search_spaces/portfolios"
NO_PORTFOLIO = "none"
"""Instead of a portfolio: every search then begins with the defaults of all models."""
SHIPPED_PORTFOLIO = "default"
THINNING = ("combine.fraction", "sequentialize.stride")
"""Hyperparameters that leave out rows."""


def load_space_spec(name: str) -> tuple[SearchSpaceSpec, str]:
    """A shipped search space by name, or a file by path; and the path of the file."""
    document, where = document_of("search_spaces", name)
    return SearchSpaceSpec.parse(document, where), where


def load_portfolio(name: str) -> tuple[Params, ...]:
    """The configurations of a shipped portfolio by name, or of a file by path; none of "none".

    StudyError if one names a model or a hyperparameter that does not exist.
    """
    if name == NO_PORTFOLIO:
        return ()
    document, where = document_of(PORTFOLIOS, name)
    found = document.get("configurations") if isinstance(document, dict) else None
    if not isinstance(found, list) or not all(isinstance(params, dict) for params in found):
        raise StudyError(f"{where}: a portfolio has a list of configurations", "see docs/searching.md")
    known = _all_names()
    for params in found:
        MODELS.require(str(params.get(MODEL, "")))
        for unknown in [key for key in params if key not in known]:
            raise StudyError(f"{where}: there is no hyperparameter {str(unknown)!r}", nearest(str(unknown), known))
    return tuple(found)


def unthinned(portfolio: Sequence[Params]) -> tuple[dict[str, Value], ...]:
    """The configurations, trained on all rows: a part of them is enough only where rows are like their neighbours."""
    return tuple({name: value for name, value in params.items() if name not in THINNING} for params in portfolio)


def _all_names() -> set[str]:
    """Full names of the hyperparameters of all stages and models."""
    names = {f"{stage}.{h.name}" for stage in STAGES.available() for h in STAGES.find(stage).hyperparameters()}
    for model in MODELS.available():
        kind = MODELS.find(model)
        names |= {f"{model}.{h.name}" for task in kind.tasks for h in kind.hyperparameters(task)}
    return names


def build_space(
    spec: SearchSpaceSpec,
    where: str,
    *,
    task: str,
    has_categories: bool = False,
    has_starts: bool = True,
    is_skewed: bool = False,
    longest_window: int = 0,
) -> SearchSpace:
    """All hyperparameters of the stages and models that the search space file allows.

    `has_categories`: whether the data has columns of many categories, for which an encoding is searched.
    `has_starts`: whether rows to predict come with the first rows of their group; rows that continue a series do not.
    `is_skewed`: whether targets are positive and so skewed that their logarithms may be easier to learn.
    `longest_window`: rows up to which windows are searched, if these are more than usual.
    """
    names = stage_order(STAGES.available())
    for name in spec.skip_stages:
        if name not in names:
            raise StudyError(f"{where}: there is no stage {name!r}", nearest(name, names))
        if not STAGES.find(name).is_optional:
            optional = [n for n in names if STAGES.find(n).is_optional]
            raise StudyError(f"{where}: stage {name!r} cannot be skipped", f"these can: {', '.join(optional)}")
    stages = tuple(name for name in names if name not in spec.skip_stages)
    models = _models(spec, where, task=task)
    model_choice, encoding = STAGES.find("train").hyperparameters()
    found = {MODEL: replace(model_choice, name=MODEL, choices=models, default=models[0], searched=len(models) > 1)}
    for stage in stages:
        owned = [_qualified(stage, hyperparameter) for hyperparameter in STAGES.find(stage).hyperparameters()]
        absent = {MODEL} if has_categories else {MODEL, f"train.{encoding.name}"}
        found |= {h.name: h for h in owned if h.name not in absent}
    for model in models:
        owned = [_qualified(model, hyperparameter) for hyperparameter in MODELS.find(model).hyperparameters(task)]
        found |= {h.name: h if h.when else replace(h, when=(MODEL, (model,))) for h in owned}
    if not has_starts:
        lacking = [name for name, h in found.items() if h.needs_start and name not in spec.hyperparameters]
        found |= {name: replace(found[name], searched=False) for name in lacking}
    if is_skewed and task == "regression" and TARGET not in spec.hyperparameters:
        found[TARGET] = found[TARGET].narrowed(("none", LOG))
    pins = {model: MODELS.find(model).pins for model in models}
    return SearchSpace(spec.applied(found, where, longest_window=longest_window), stages, pins=pins)


def _models(spec: SearchSpaceSpec, where: str, *, task: str) -> tuple[str, ...]:
    """Models of the search space file, or all that solve the task and whose libraries are installed; cheapest first."""
    if spec.models is not None and not spec.models:
        raise StudyError(f"{where}: models is an empty list", f"known: {', '.join(MODELS.names)}")
    for name in spec.models or ():
        if task not in MODELS.require(name).tasks:
            raise StudyError(f"{where}: model {name!r} cannot solve a {task}", "take it out of models")
    able = [name for name in MODELS.available() if task in MODELS.find(name).tasks]
    names = dict.fromkeys(spec.models or able)
    return tuple(sorted(names, key=lambda name: (MODELS.find(name).cost_rank, name)))


def _qualified(owner: str, hyperparameter: Hyperparameter) -> Hyperparameter:
    """A hyperparameter with full names, also in its condition."""
    when = (f"{owner}.{hyperparameter.when[0]}", hyperparameter.when[1]) if hyperparameter.when else None
    return replace(hyperparameter, name=f"{owner}.{hyperparameter.name}", when=when)
