"""Compares samplers on synthetic objectives that cost nothing: `python -m benchmarks.samplers [TRIALS [SEEDS]]`.

A landscape is the product's own search space over six models, with a hidden optimum for every hyperparameter, and costs
that grow with trees, features and rows. Printed is the hypervolume reached, relative to that of the union of all
samplers' points, mean over seeds; columns are landscapes. Real pipelines differ: trust the ranking more than the size
of a difference.
"""

from __future__ import annotations

import math
import random
import statistics
import sys
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing import get_context

import optuna

from cemai_opt.core.front import Box, ParetoFront, Point
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import COMPLETE, TrialResult
from cemai_opt.core.space import MODEL, SearchSpace, SearchSpaceSpec
from cemai_opt.core.study_file import parse_resolved_study
from cemai_opt.engines import Engine
from cemai_opt.meters.cpu_time import CpuTime
from cemai_opt.search import Budget, Ledger, Search, SearchContext
from cemai_opt.search.samplers import SAMPLERS, SamplerContext, sampler_named
from cemai_opt.spaces import build_space

MODELS = ("ridge", "decision_tree", "xgboost", "gradient_boosting", "random_forest", "dnn")
LANDSCAPES, SEEDS = range(6), 6
TREES = ("n_estimators", "max_iter", "epochs")


class Landscape(Engine):
    """Scores a plan by its distance from a hidden optimum; joules grow with what makes real pipelines expensive."""

    def __init__(self, space: SearchSpace, seed: int) -> None:
        rng = random.Random(seed)
        self._space = space
        self._optimum: dict[str, dict[Value, float] | float] = {
            name: {choice: rng.random() for choice in hyperparameter.choices}
            if hyperparameter.choices
            else rng.random()
            for name, hyperparameter in space.hyperparameters.items()
        }
        self._base = {model: 0.3 + 0.3 * rng.random() for model in space.models}

    def _run(self, plan: TrialPlan) -> Future[TrialResult]:
        params = self._space.params_of(plan.config)
        closeness = [self._closeness(name, value) for name, value in params.items() if name != MODEL]
        score = self._base[plan.config.model] + 0.4 * statistics.fmean(closeness)
        joules = 0.05 * math.prod(_factor(name, value) for name, value in params.items())
        cost = Cost(
            (
                Measurement(
                    stage="train",
                    duration_s=joules,
                    cpu_s=joules,
                    energy_j={"cpu": joules},
                    uncertainty_j=0.0,
                    source="landscape",
                ),
            )
        )
        done: Future[TrialResult] = Future()
        done.set_result(
            TrialResult(trial=plan.trial, state=COMPLETE, config=plan.config, cost=cost, spent=cost, score=score)
        )
        return done

    def _closeness(self, name: str, value: Value) -> float:
        hyperparameter, optimum = self._space.hyperparameters[name], self._optimum[name]
        if isinstance(optimum, dict):
            return optimum[value]
        (position,) = hyperparameter.unit_values(value)
        return math.exp(-8.0 * (position - optimum) ** 2)


def _factor(name: str, value: Value) -> float:
    """The factor by which one hyperparameter multiplies the cost."""
    if name == MODEL:
        return {"ridge": 0.1, "decision_tree": 0.3}.get(str(value), 1.0)
    if name.endswith(TREES):
        return float(value) / 50
    factors: dict[str, Callable[[], float]] = {
        "featurize.rolling": lambda: 1.0 if value == "none" else 3.0,
        "combine.fraction": lambda: float(value) ** 0.7,
        "sequentialize.stride": lambda: float(value) ** -0.5,
    }
    return factors[name]() if name in factors else 1.0


def search(sampler: str, landscape: int, seed: int, trials: int) -> list[Point]:
    """Points of one finished search."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = build_space(SearchSpaceSpec(models=MODELS), "benchmark", task="regression")
    document = {
        "task": "regression", "score": "r2", "split": {"by": "group", "folds": 1}, "seed": seed,
        "carbon": {"intensity_g_per_kwh": 475.0}, "search": {"trials": trials, "stop_early": False},
    }  # fmt: skip
    study, context = parse_resolved_study(document, "benchmark"), SamplerContext(trials=trials, seed=seed)
    ledger = Ledger([CpuTime(clock=lambda: 0.0, watts=1.0)], start_j=0.0)
    loop = Search(
        SearchContext(
            study=study,
            space=space,
            engine=Landscape(space, landscape),
            ledger=ledger,
            budget=Budget(study, ledger, start_s=0.0),
            optuna_study=optuna.create_study(
                directions=["maximize", "minimize"], sampler=sampler_named(sampler).build(space, context)
            ),
            sampler=context,
        )
    )
    loop.run()
    return loop.points


def main() -> None:
    """Prints the table."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else SEEDS
    jobs = [(sampler, land, seed, trials) for sampler in SAMPLERS.names for land in LANDSCAPES for seed in range(seeds)]
    with get_context("spawn").Pool(2) as pool:
        found = dict(zip(jobs, pool.starmap(search, jobs, chunksize=4), strict=True))
    print(f"{trials} trials, {seeds} seeds; hypervolume relative to that of the union of all samplers' points")
    print(f"{'sampler':14s}" + "".join(f"{f'land {land}':>9s}" for land in LANDSCAPES) + f"{'mean':>9s}")
    for sampler in SAMPLERS.names:
        shares = []
        for land in LANDSCAPES:
            everyone = [point for task, points in found.items() if task[1] == land for point in points]
            box = Box.around(everyone)
            best = ParetoFront.of(everyone).hypervolume(box)
            own = [
                ParetoFront.of(points).hypervolume(box) for task, points in found.items() if task[:2] == (sampler, land)
            ]
            shares.append(statistics.fmean(own) / best)
        print(f"{sampler:14s}" + "".join(f"{share:9.3f}" for share in shares) + f"{statistics.fmean(shares):9.3f}")


if __name__ == "__main__":
    main()
