"""A search whose engine computes score and cost from the configuration, in no time and the same each time."""

from __future__ import annotations

import math
from concurrent.futures import Future
from pathlib import Path

from cemai_opt import compose
from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import COMPLETE, FAILED, TrialResult
from cemai_opt.core.space import Lens, SearchSpace
from cemai_opt.core.spec import StudySpec, parse_study
from cemai_opt.engines import Engine
from cemai_opt.meters.cpu_time import CpuTime
from cemai_opt.search import Ledger, Search, open_study
from cemai_opt.search.samplers import SAMPLERS, Budget

BASE = {"ridge": 0.5, "decision_tree": 0.6, "xgboost": 0.7, "random_forest": 0.65}


class PaperEngine(Engine):
    """Scores by a formula: better near a hidden optimum of each gene; dearer with more trees."""

    def __init__(self, fails: bool = False) -> None:
        self._fails = fails

    def _run(self, plan: TrialPlan) -> Future[TrialResult]:
        done: Future[TrialResult] = Future()
        done.set_result(self._result(plan))
        return done

    def _result(self, plan: TrialPlan) -> TrialResult:
        train = plan.config.params("train")
        model = str(train["model"])
        if self._fails and model == "decision_tree":
            return TrialResult(plan.trial, FAILED, plan.config, cost(1.0), cost(1.0), reason="train: ValueError: no")
        trees = float(train.get("n_estimators", 1))
        rate = float(train.get("learning_rate", 0.1))
        score = BASE.get(model, 0.4) + 0.2 * math.exp(-abs(math.log(rate / 0.05))) + 0.02 * math.log1p(trees)
        return TrialResult(plan.trial, COMPLETE, plan.config, cost(0.01 * trees), cost(0.01 * trees), score=score)


def cost(energy_j: float) -> Cost:
    """A cost of one row."""
    return Cost((Measurement("train", 0.1, 0.1, {"cpu": energy_j}, 0.0, "paper"),))


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
        "search": {"trials": trials, **search},
    }
    return parse_study(document, "test")


def rehearse(
    folder: Path,
    sampler: str = "nsga2",
    trials: int = 40,
    seed: int = 0,
    engine: Engine | None = None,
    **options: object,
) -> Search:
    """A finished search in `folder`; `options` go to Search."""
    folder.mkdir(exist_ok=True)
    study, space, seen = study_of(trials, seed), space_of(), set[str]()
    done = len(options.get("earlier", ()))  # type: ignore[arg-type]  # a list
    built = SAMPLERS.require(sampler)().build(space, Budget(trials, seed, seen=seen, done=done))
    ledger = Ledger([CpuTime(clock=lambda: 0.0, watts=1.0)], start_j=0.0)
    search = Search(
        study,
        space,
        open_study(folder, "paper", ("r2", "gCO2eq"), built),
        engine or PaperEngine(),
        ledger,
        seen=seen,
        **options,  # type: ignore[arg-type]  # passed on
    )
    search.run()
    return search
