"""Which search finds how much for how many grams: replays recorded pipelines, in seconds, the same each time.

    python -m benchmarks.search TABLE... [--seeds 10] [--trials 200] [--only ARM,ARM] [--models xgboost,cnn]

Hypervolume is normalised: score from 0 to 1, log10 grams from the cheapest to the dearest pipeline of the table. The
reference point is (0, dearest). The yardstick is Optuna's own NSGA-II with population 50 in the conditional space,
without warm start, cache, harvest or rules, after `--trials` trials. Of each arm: its hypervolume when it has spent a
tenth of the yardstick's grams, when it has spent all of them, and the share of the yardstick's grams that it needs to
reach the yardstick's hypervolume; medians and quartiles over seeds. An arm may run more trials than the yardstick, as
long as it spends no more. Choosing is charged, too: `SUGGEST_J` a suggestion. `lost` counts trials that were ended
or not run although, in the end, the front would have had room for them.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import optuna
from threadpoolctl import threadpool_limits

from benchmarks.search.replay import TableEngine
from benchmarks.search.table import Table
from cemai_opt import compose
from cemai_opt.core.front import Box, Front, Point, dominates
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import TrialResult
from cemai_opt.core.space import Lens, SearchSpace
from cemai_opt.core.spec import StudySpec, parse_study
from cemai_opt.meters.cpu_time import CpuTime
from cemai_opt.search import Allowance, Ledger, Search, outlook
from cemai_opt.search.samplers import SAMPLERS, Budget
from cemai_opt.search.suggest import suggest

INTENSITY = 475.0
SUGGEST_J: Mapping[str, tuple[float, float]] = {
    "random": (0.022, 0.0),
    "nsga2_stock": (0.023, 0.0),
    "nsga2": (0.022, 5e-6),
    "sms_emoa": (0.022, 1.3e-5),
    "tpe": (0.1, 4.5e-4),
}
"""Joules of one suggestion, fixed and for each earlier trial: by `python -m benchmarks.search.suggest_cost`."""
OFF: Mapping[str, Mapping[str, float]] = {
    "cap": {"CAP_FACTOR": math.inf},
    "curve": {"MIN_CURVES": 10**9},
    "fold": {"MIN_FOLDED": 10**9},
}


@dataclass(frozen=True)
class Arm:
    """One way to search. `stock`: Optuna's sampler alone; else the product with some ingredients."""

    sampler: str = "sms_emoa"
    stock: bool = False
    population: int | None = None
    cache: bool = True
    harvest: bool = True
    rules: tuple[str, ...] = ("cap", "curve", "fold")


ARMS: Mapping[str, Arm] = {
    "stock NSGA-II": Arm("nsga2_stock", stock=True, population=50),
    "stock TPE": Arm("tpe", stock=True),
    "random": Arm("random", stock=True),
    "NSGA-II": Arm("nsga2", cache=False, harvest=False, rules=()),
    "steady state": Arm(cache=False, harvest=False, rules=()),
    "+ cap": Arm(cache=False, harvest=False, rules=("cap",)),
    "+ cache": Arm(harvest=False, rules=("cap",)),
    "+ harvest": Arm(rules=("cap",)),
    "+ curve": Arm(rules=("cap", "curve")),
    "+ first fold": Arm(),
    "NSGA-II + all": Arm("nsga2"),
    "TPE + all": Arm("tpe"),
}


class WholeBudget(Allowance):
    """All grams are for the search: a replay does not test its front."""

    def held_back(self, members: Any) -> tuple[float, float]:
        """Nothing."""
        return 0.0, 0.0


@dataclass(frozen=True)
class Course:
    """Grams spent and hypervolume after every result, and good trials that were lost."""

    spent_g: np.ndarray
    hypervolume: np.ndarray
    n_lost: int
    n_run: int

    def at(self, grams: float) -> float:
        """Hypervolume when so much is spent."""
        i = int(np.searchsorted(self.spent_g, grams, side="right")) - 1
        return float(self.hypervolume[i]) if i >= 0 else 0.0

    def grams_to(self, hypervolume: float) -> float:
        """Grams until so much is reached; inf where it never is."""
        reached = np.flatnonzero(self.hypervolume >= hypervolume)
        return float(self.spent_g[reached[0]]) if len(reached) else math.inf


def main() -> None:
    """Prints a table for each recorded study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--only", default="", help="names of arms, with commas between them")
    parser.add_argument("--models", default="", help="search these models only, with commas between them")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    args = parser.parse_args()
    names = [name for name in ARMS if not args.only or name in args.only.split(",")]
    figures: dict[str, Any] = {}
    for path in args.tables:
        figures[path.name] = _compared(path, names, args.seeds, args.trials, args.workers, args.models)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")


def _compared(path: Path, names: list[str], seeds: int, trials: int, workers: int, models: str) -> dict[str, Any]:
    table = _table(path)
    print(f"\n{path.name}: {table.n_pipelines} pipelines run, {table.n_evaluated} evaluated; {seeds} seeds")
    header = ("arm", "hv at 1/10", "hv at equal", "grams to equal hv", "lost", "trials")
    print(f"{header[0]:<16}{header[1]:>22}{header[2]:>22}{header[3]:>24}{header[4]:>6}{header[5]:>8}")
    figures: dict[str, Any] = {}
    with ProcessPoolExecutor(workers) as pool:
        first = [(path, "stock NSGA-II", seed, trials, math.inf, models) for seed in range(seeds)]
        yard = list(pool.map(_course, *zip(*first, strict=True)))
        yard_g = float(np.median([course.spent_g[-1] for course in yard]))
        yard_hv = float(np.median([course.hypervolume[-1] for course in yard]))
        print(f"yardstick: {yard_g * 1e3:.1f} mg, hypervolume {yard_hv:.4f} (medians)")
        for name in names:
            runs = [(path, name, seed, trials, yard_g, models) for seed in range(seeds)]
            courses = yard if name == "stock NSGA-II" else list(pool.map(_course, *zip(*runs, strict=True)))
            tenth, equal = ([c.at(share * yard_g) for c in courses] for share in (0.1, 1.0))
            share = [c.grams_to(yard_hv) / yard_g for c in courses]
            lost, n_run = (float(np.median([getattr(c, key) for c in courses])) for key in ("n_lost", "n_run"))
            figures[name] = {"hv_tenth": tenth, "hv_equal": equal, "share_of_grams": share, "lost": lost}
            print(f"{name:<16}{_q(tenth):>22}{_q(equal):>22}{_q(share):>24}{lost:>6.0f}{n_run:>8.0f}", flush=True)
    return figures


def _q(values: list[float]) -> str:
    low, mid, high = np.quantile(values, [0.25, 0.5, 0.75], method="nearest")
    return f"{mid:.3f} ({low:.3f}-{high:.3f})"


@cache
def _table(path: Path) -> Table:
    return Table(path)


def _course(path: Path, name: str, seed: int, trials: int, most_g: float, models: str = "") -> Course:
    """One search: of the yardstick so many trials, of any other arm as many as it can pay."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    threadpool_limits(1)
    arm, table = ARMS[name], _table(path)
    space = compose.build_space(Lens(models=tuple(models.split(",")) if models else None), "benchmark", table.task)
    study = _study(arm, seed, trials if math.isinf(most_g) else 10 * trials, most_g, table.folds)
    results = (
        _stock(arm, table, space, study, seed, most_g)
        if arm.stock
        else _product(arm, table, space, study, seed, trials)
    )
    engine = TableEngine(table)
    return _course_of(results, table, study, arm, engine)


def _study(arm: Arm, seed: int, trials: int, most_g: float, folds: int) -> StudySpec:
    search = {
        "trials": trials,
        "confirm": 0,
        "harvest": arm.harvest,
        "stop_early": bool(arm.rules),
        "budget_g": None if math.isinf(most_g) else most_g,
    }
    return parse_study(
        {
            "task": "regression",
            "score": "r2",
            "split": {"by": "group", "folds": folds},
            "carbon": {"intensity_g_per_kwh": INTENSITY},
            "seed": seed,
            "search": search,
        },
        "benchmark",
    )


def _stock(arm: Arm, table: Table, space: SearchSpace, study: StudySpec, seed: int, most_g: float) -> list[TrialResult]:
    """Optuna's sampler, asked and told, and nothing else."""
    engine, results, spent_g = TableEngine(table), [], 0.0
    sampler = SAMPLERS.require(arm.sampler)().build(space, Budget(study.search.trials, seed, arm.population))
    asked = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    while len(results) < study.search.trials and spent_g < most_g:
        trial = asked.ask()
        config = space.active(suggest(trial, space))
        plan = TrialPlan(trial.number, study, config, "search", (), study.split.folds or 1)
        result = engine.result(plan)
        asked.tell(trial, [result.score, study.carbon.grams(result.cost.energy_j)])  # type: ignore[list-item]
        spent_g += study.carbon.grams(result.spent.energy_j + _suggest_j(arm.sampler, len(results)))
        results.append(result)
    return results


def _product(arm: Arm, table: Table, space: SearchSpace, study: StudySpec, seed: int, trials: int) -> list[TrialResult]:
    """The product's own search, with the ingredients of the arm."""
    budget = Budget(trials, seed, arm.population)
    sampler = SAMPLERS.require(arm.sampler)().build(space, budget)
    asked = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    ledger = Ledger([CpuTime(clock=lambda: 0.0, watts=1.0)], start_j=0.0)

    def charged(result: TrialResult, state: Any) -> None:
        if result.parent is None:
            ledger.booked["driver", "", ""] = ledger.booked.get(("driver", "", ""), 0.0) + _suggest_j(
                arm.sampler, len(search.results)
            )

    with _without(arm.rules):
        search = Search(
            study,
            space,
            asked,
            TableEngine(table),
            ledger,
            WholeBudget(study, ledger, 0.0),
            on_result=charged,
            budget=budget,
            cache="cache" if arm.cache else None,
        )
        search.run()
    return search.results


@contextmanager
def _without(rules: tuple[str, ...]) -> Iterator[None]:
    """Switches all other rules off."""
    off = {key: value for rule, values in OFF.items() if rule not in rules for key, value in values.items()}
    with mock.patch.multiple(outlook, **off) if off else nullcontext():
        yield


def _course_of(results: list[TrialResult], table: Table, study: StudySpec, arm: Arm, engine: TableEngine) -> Course:
    grams: Callable[[float], float] = study.carbon.grams
    logs = [math.log10(grams(joules)) for joules in table.costs_j]
    box = Box(min(logs), max(logs))
    front, spent_g, spent, values = Front(()), 0.0, [], []
    for i, result in enumerate(results):
        spent_g += grams(result.spent.energy_j + (_suggest_j(arm.sampler, i) if result.parent is None else 0.0))
        if result.is_complete and result.score is not None:
            front = Front.of([*front, Point(result.trial, result.score, grams(result.cost.energy_j))])
        spent.append(spent_g)
        values.append(front.hypervolume(box))
    lost = 0
    for result in results:
        if result.state == "pruned":
            score, joules = engine.truth(result.config)
            point = Point(-1, score, grams(joules))
            lost += score > 0 and not any(
                dominates(p, point) or (p.score >= score and p.carbon_g <= point.carbon_g) for p in front
            )
    return Course(np.array(spent), np.array(values), lost, sum(r.has_run for r in results))


def _suggest_j(sampler: str, n: int) -> float:
    fixed, each = SUGGEST_J[sampler]
    return fixed + each * n


if __name__ == "__main__":
    sys.exit(main())
