"""A search whose engine computes score and cost from the configuration, in no time and the same each time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path

from cemai_opt import compose
from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import COMPLETE, FAILED, Curve, CurvePoint, TrialResult
from cemai_opt.core.space import Lens, SearchSpace
from cemai_opt.core.spec import StudySpec, parse_study
from cemai_opt.engines import Engine
from cemai_opt.meters.cpu_time import CpuTime
from cemai_opt.search import Ledger, Search, open_study
from cemai_opt.search.samplers import Budget, sampler_named

BASE = {"ridge": 0.5, "decision_tree": 0.6, "xgboost": 0.7, "random_forest": 0.65}


class PaperEngine(Engine):
    """Scores by a formula: better near a hidden optimum of each gene; dearer with more trees."""

    def __init__(self, fails: bool = False, has_curves: bool = False, first_j: float = 0.0) -> None:
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
            return TrialResult(plan.trial, FAILED, plan.config, cost(1.0), cost(1.0), reason="train: ValueError: no")
        trees = float(train.get("n_estimators", 1))
        rate = float(train.get("learning_rate", 0.1))
        spent = cost(self._first_j + 0.01 * trees)
        curve = self._curve(plan, model, rate) if self._has_curves and "n_estimators" in train else None
        score = score_of(model, rate, trees)
        return TrialResult(plan.trial, COMPLETE, plan.config, spent, spent, score=score, curve=curve)

    def _curve(self, plan: TrialPlan, model: str, rate: float) -> Curve:
        """Half as many trees, and a quarter."""
        full = int(plan.config.params("train")["n_estimators"])
        sizes = [size for size in (full // 4, full // 2) if size >= 10]
        return Curve(
            "n_estimators",
            tuple(
                CurvePoint(size, score_of(model, rate, size), {}, train_row(self._first_j + 0.01 * size), ZERO)
                for size in sizes
            ),
        )


def score_of(model: str, rate: float, trees: float) -> float:
    """More trees are better, less and less so."""
    return BASE.get(model, 0.4) + 0.2 * math.exp(-abs(math.log(rate / 0.05))) + 0.02 * math.log1p(trees)


def train_row(energy_j: float) -> Measurement:
    """A row of so many joules."""
    return Measurement("train", 0.1, 0.1, {"cpu": energy_j}, 0.0, "paper")


ZERO = Measurement("evaluate", 0.0, 0.0, {"cpu": 0.0}, 0.0, "paper")


def cost(energy_j: float) -> Cost:
    """A cost of one row."""
    return Cost((train_row(energy_j),))


def space_of(models: tuple[str, ...] = tuple(BASE)) -> SearchSpace:
    """The product's own space over some models."""
    return compose.build_space(Lens(models=models), "test", "regression")


def study_of(trials: int = 40, seed: int = 0, **search: object) -> StudySpec:
    """A settled study that nothing is read for."""
    document = {
        "name": "paper",
        "task": "regression",
        "score": "r2",
        "split": {"by": "group", "folds": 1},
        "carbon": {"intensity_g_per_kwh": 400.0},
        "seed": seed,
        "search": {"trials": trials, "stop_early": False, **search},
    }
    return parse_study(document, "test")


def rehearse(
    folder: Path,
    sampler: str = "nsga2",
    trials: int = 40,
    seed: int = 0,
    engine: Engine | None = None,
    rules: Mapping[str, object] | None = None,
    **options: object,
) -> Search:
    """A finished search in `folder`; `rules` are further keys of the study's `search`, `options` go to Search."""
    folder.mkdir(exist_ok=True)
    study, space = study_of(trials, seed, **(rules or {})), space_of()
    done = len(options.get("earlier", ()))  # type: ignore[arg-type]  # a list
    budget = Budget(trials, seed, done=done)
    built = sampler_named(sampler).build(space, budget)
    ledger = Ledger([CpuTime(clock=lambda: 0.0, watts=1.0)], start_j=0.0)
    search = Search(
        study,
        space,
        open_study(folder, "paper", ("r2", "gCO2eq"), built),
        engine or PaperEngine(),
        ledger,
        budget=budget,
        **options,  # type: ignore[arg-type]  # passed on
    )
    search.run()
    return search
