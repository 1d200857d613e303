"""The objects that the search, the remeasurement and the tests of one session share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import optuna

from cemai_opt.core.space import Params, SearchSpace
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.engines import Engine
from cemai_opt.search.budget import Budget
from cemai_opt.search.events import Events
from cemai_opt.search.ledger import Ledger
from cemai_opt.search.prior import Prior
from cemai_opt.search.samplers import SamplerContext

if TYPE_CHECKING:
    from cemai_opt.search.storage.coordination import StudyCoordinator


@dataclass(frozen=True, kw_only=True)
class SearchContext:
    """One session of a search. The study's sampler was built with `sampler`, which the search keeps up to date.

    `coordinator` is set if other drivers search in the same study; `cache` is the folder of shared stage results.
    `confirm_folds` is the number of folds on which the scores of front candidates are confirmed; `portfolio` are the
    configurations that run first; `prior` is what is known from earlier runs; `n_inputs` is the number of columns of
    the data, on which the cost of some models depends, None if it is not known.
    """

    study: ResolvedStudy
    space: SearchSpace
    engine: Engine
    ledger: Ledger
    budget: Budget
    optuna_study: optuna.Study
    sampler: SamplerContext
    events: Events = field(default_factory=Events)
    coordinator: StudyCoordinator | None = None
    cache: str | None = None
    confirm_folds: int = 1
    n_inputs: int | None = None
    portfolio: Sequence[Params] = ()
    prior: Prior = field(default_factory=Prior)
