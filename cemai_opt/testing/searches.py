"""Searches whose engine computes score and cost by a formula: they take no time, and give the same result each time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import COMPLETE, FAILED, Curve, CurvePoint, TrialResult
from cemai_opt.core.space import SearchSpace, SearchSpaceSpec
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.engines import Engine
from cemai_opt.meters.cpu_time import CpuTime
from cemai_opt.search import Budget, Ledger, Search, SearchContext
from cemai_opt.search.samplers import SamplerContext, sampler_named
from cemai_opt.search.storage import open_study
from cemai_opt.spaces import build_space

STUDY = "formula"
"""Name of the study, in Optuna's storage too."""
METRICS = ("r2", "gCO2eq")
BASE_SCORES = {"ridge": 0.5, "decision_tree": 0.6, "xgboost": 0.7, "random_forest": 0.65}
SOURCE = "formula"
NO_COST = Measurement(
    stage="evaluate", duration_s=0.0, cpu_s=0.0, energy_j={"cpu": 0.0}, uncertainty_j=0.0, source=SOURCE
)


class FormulaEngine(Engine):
    """Scores are better near a hidden optimum of the learning rate; trees cost 0.01 J each.

    With `fails`, every decision tree fails; with `has_curves`, models with trees report a learning curve. `first_j` is
    added to the joules of each trial. `plans` keeps every plan that was run.
    """

    def __init__(self, *, fails: bool = False, has_curves: bool = False, first_j: float = 0.0) -> None:
        self._fails, self._has_curves, self._first_j = fails, has_curves, first_j
        self.plans: list[TrialPlan] = []

    def _run(self, plan: TrialPlan) -> Future[TrialResult]:
        done: Future[TrialResult] = Future()
        done.set_result(self._result(plan))
        return done

    def _result(self, plan: TrialPlan) -> TrialResult:
        self.plans.append(plan)
        train = plan.config.params("train")
        model = str(train["model"])
        if self._fails and model == "decision_tree":
            spent, reason = cost_of(1.0), "train: ValueError: no"
            return TrialResult(
                trial=plan.trial, state=FAILED, config=plan.config, cost=spent, spent=spent, reason=reason
            )
        trees, rate = float(train.get("n_estimators", 1)), float(train.get("learning_rate", 0.1))
        spent = cost_of(self._first_j + 0.01 * trees)
        return TrialResult(
            trial=plan.trial,
            state=COMPLETE,
            config=plan.config,
            cost=spent,
            spent=spent,
            score=score_of(model, rate, trees=trees),
            curve=self._curve(model, rate, full=int(trees)) if self._has_curves and "n_estimators" in train else None,
        )

    def _curve(self, model: str, rate: float, *, full: int) -> Curve:
        """The same model with half and with a quarter of its trees."""
        points = [
            CurvePoint(
                size=size,
                score=score_of(model, rate, trees=size),
                metrics={},
                train=train_row(self._first_j + 0.01 * size),
                evaluate=NO_COST,
            )
            for size in (full // 4, full // 2)
            if size >= 10
        ]
        return Curve("n_estimators", tuple(points))


def score_of(model: str, rate: float, *, trees: float) -> float:
    """The score by which `FormulaEngine` judges: more trees are better, with diminishing returns."""
    return BASE_SCORES.get(model, 0.4) + 0.2 * math.exp(-abs(math.log(rate / 0.05))) + 0.02 * math.log1p(trees)


def train_row(energy_j: float) -> Measurement:
    """The row of a training that took this many joules."""
    return Measurement(
        stage="train", duration_s=0.1, cpu_s=0.1, energy_j={"cpu": energy_j}, uncertainty_j=0.0, source=SOURCE
    )


def cost_of(energy_j: float) -> Cost:
    """A cost of one row."""
    return Cost((train_row(energy_j),))


def space_of(models: Sequence[str] = tuple(BASE_SCORES)) -> SearchSpace:
    """The product's own search space over some models."""
    return build_space(SearchSpaceSpec(models=tuple(models)), "test", task="regression")


def study_of(*, trials: int = 40, seed: int = 0, **search: Any) -> ResolvedStudy:
    """A resolved study without data; `search` are further keys of its `search`. Early pruning is off by default."""
    document = {
        "name": STUDY,
        "task": "regression",
        "score": "r2",
        "split": {"by": "group", "folds": 1},
        "carbon": {"intensity_g_per_kwh": 400.0, "origin": "as given"},
        "seed": seed,
        "search": {"trials": trials, "stop_early": False, **search},
    }
    return ResolvedStudy.model_validate(document)


def idle_ledger() -> Ledger:
    """The ledger of a session that uses no energy except for its trials."""
    return Ledger([CpuTime(clock=lambda: 0.0, watts=1.0)], 0.0)


def search_in(
    folder: Path,
    study: ResolvedStudy,
    *,
    sampler: str = "nsga2",
    space: SearchSpace | None = None,
    engine: Engine | None = None,
    earlier: Sequence[TrialResult] = (),
    clock: Callable[[], float] = lambda: 0.0,
) -> Search:
    """A search in `folder` that has not begun; `earlier` are results of a session before, `clock` is its time."""
    folder.mkdir(exist_ok=True)
    space = space or space_of()
    context = SamplerContext(
        trials=study.search.trials, seed=study.seed, done=len(earlier), constraints=study.constraints
    )
    built = sampler_named(sampler).build(space, context)
    ledger = idle_ledger()
    return Search(
        SearchContext(
            study=study,
            space=space,
            engine=engine or FormulaEngine(),
            ledger=ledger,
            budget=Budget(study, ledger, start_s=0.0, clock=clock),
            optuna_study=open_study(folder, STUDY, metrics=METRICS, sampler=built),
            sampler=context,
        ),
        earlier=earlier,
    )


def run_search(
    folder: Path,
    *,
    sampler: str = "nsga2",
    trials: int = 40,
    seed: int = 0,
    engine: Engine | None = None,
    earlier: Sequence[TrialResult] = (),
    rules: Mapping[str, Any] | None = None,
) -> Search:
    """A finished search in `folder`; `rules` are further keys of the study's `search`."""
    study = study_of(trials=trials, seed=seed, **(rules or {}))
    search = search_in(folder, study, sampler=sampler, engine=engine, earlier=earlier)
    search.run()
    return search
