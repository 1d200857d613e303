"""Compares samplers on landscapes that are computed in no time: `python -m benchmarks.samplers [TRIALS]`.

A landscape is the product's own search space over six models, with a hidden optimum for every gene, and costs that grow
with trees, features and rows. Printed is the hypervolume reached, as a share of what all samplers together reached,
mean over seeds; columns are landscapes. It is a stand-in for recorded pipelines: trust the order more than the size.
"""

from __future__ import annotations

import math
import random
import statistics
import sys
from concurrent.futures import Future
from multiprocessing import get_context

import optuna

from cemai_opt.compose import build_space
from cemai_opt.core.front import Box, Front, Point
from cemai_opt.core.genes import Gene, Value
from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import COMPLETE, TrialResult
from cemai_opt.core.space import MODEL, Lens, SearchSpace
from cemai_opt.core.spec import parse_study
from cemai_opt.engines import Engine
from cemai_opt.meters.cpu_time import CpuTime
from cemai_opt.search import Ledger, Search
from cemai_opt.search.samplers import SAMPLERS, Budget

MODELS = ("ridge", "decision_tree", "xgboost", "gradient_boosting", "random_forest", "dnn")
LANDSCAPES, SEEDS = range(6), range(6)
TREES = ("n_estimators", "max_iter", "epochs")


class Landscape(Engine):
    """Scores a plan by how near its genes are to a hidden optimum; charges joules for what makes pipelines dear."""

    def __init__(self, space: SearchSpace, seed: int) -> None:
        rng = random.Random(seed)
        self._space = space
        self._wish = {
            name: {choice: rng.random() for choice in gene.choices} if gene.choices else rng.random()
            for name, gene in space.genes.items()
        }
        self._base = {model: 0.3 + 0.3 * rng.random() for model in space.models}

    def _run(self, plan: TrialPlan) -> Future[TrialResult]:
        genome = self._space.genome_of(plan.config)
        wishes = [self._met(name, value) for name, value in genome.items() if name != MODEL]
        score = self._base[plan.config.model] + 0.4 * statistics.fmean(wishes)
        joules = 0.05 * math.prod(_factor(name, value) for name, value in genome.items())
        cost = Cost((Measurement("train", joules, joules, {"cpu": joules}, 0.0, "landscape"),))
        done: Future[TrialResult] = Future()
        done.set_result(TrialResult(plan.trial, COMPLETE, plan.config, cost, cost, score=score))
        return done

    def _met(self, name: str, value: Value) -> float:
        gene, wish = self._space.genes[name], self._wish[name]
        if isinstance(wish, dict):
            return wish[value]
        return math.exp(-8.0 * (_place(gene, float(value)) - wish) ** 2)


def _factor(name: str, value: Value) -> float:
    """What one gene multiplies the cost by."""
    if name == MODEL:
        return {"ridge": 0.1, "decision_tree": 0.3}.get(str(value), 1.0)
    if name.endswith(TREES):
        return float(value) / 50
    factors = {
        "featurize.rolling": lambda: 1.0 if value == "none" else 3.0,
        "combine.fraction": lambda: float(value) ** 0.7,
        "sequentialize.stride": lambda: float(value) ** -0.5,
    }
    return factors[name]() if name in factors else 1.0


def _place(gene: Gene, value: float) -> float:
    """Where a value lies in its range, from 0 to 1, on the gene's own scale."""
    low, high, value = (math.log(x) if gene.log else x for x in (gene.low, gene.high, value))
    return (value - low) / (high - low) if high > low else 0.0


def search(sampler: str, landscape: int, seed: int, trials: int) -> list[Point]:
    """Points of one finished search."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = build_space(Lens(models=MODELS), "benchmark", "regression")
    document = {
        "task": "regression", "score": "r2", "split": {"by": "group", "folds": 1}, "seed": seed,
        "carbon": {"intensity_g_per_kwh": 475.0}, "search": {"trials": trials, "stop_early": False},
    }  # fmt: skip
    budget = Budget(trials, seed)
    built = SAMPLERS.require(sampler)().build(space, budget)
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=built)
    ledger = Ledger([CpuTime(clock=lambda: 0.0, watts=1.0)], start_j=0.0)
    engine = Landscape(space, landscape)
    loop = Search(parse_study(document, "benchmark"), space, study, engine, ledger, budget=budget)
    loop.run()
    return loop.points


def main() -> None:
    """Prints the table."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    jobs = [(sampler, land, seed, trials) for sampler in SAMPLERS.names for land in LANDSCAPES for seed in SEEDS]
    with get_context("spawn").Pool(2) as pool:
        found = dict(zip(jobs, pool.starmap(search, jobs, chunksize=4), strict=True))
    print(f"{trials} trials, {len(SEEDS)} seeds; share of the hypervolume that all together reached")
    print(f"{'sampler':14s}" + "".join(f"{f'land {land}':>9s}" for land in LANDSCAPES) + f"{'mean':>9s}")
    for sampler in SAMPLERS.names:
        shares = []
        for land in LANDSCAPES:
            everyone = [point for job, points in found.items() if job[1] == land for point in points]
            box = Box.around(everyone)
            best = Front.of(everyone).hypervolume(box)
            own = [Front.of(points).hypervolume(box) for job, points in found.items() if job[:2] == (sampler, land)]
            shares.append(statistics.fmean(own) / best)
        print(f"{sampler:14s}" + "".join(f"{share:9.3f}" for share in shares) + f"{statistics.fmean(shares):9.3f}")


if __name__ == "__main__":
    main()
