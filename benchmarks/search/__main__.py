"""Compares search strategies on recorded pipelines, in seconds and reproducibly.

    python -m benchmarks.search TABLE... [--seeds 10] [--trials 200] [--only ARM,ARM] [--models xgboost,cnn]

Hypervolume is normalised: score from 0 to 1, log10 grams from the cheapest to the most expensive pipeline of the table.
The reference point is (0, most expensive). The baseline is Optuna's own NSGA-II with population 50 in the conditional
space, without initial design, cache, curve candidates or pruning, after `--trials` trials. Printed for each arm: its
hypervolume when it has spent a tenth of the baseline's grams, and when it has spent all of them; the share of the
baseline's grams that it needs to reach the baseline's hypervolume; medians and quartiles over seeds. An arm may run
more trials than the baseline, as long as it spends no more grams. Suggestions are charged as well, by `SUGGEST_J`.
`lost` counts trials that were pruned or skipped although they would have been on the final front.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import optuna
from threadpoolctl import threadpool_limits

from benchmarks.search.replay import TableEngine
from benchmarks.search.table import Table
from cemai_opt.core.front import Box, ParetoFront, Point, dominates
from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import PRUNED, TrialResult
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.core.study_file import parse_resolved_study
from cemai_opt.meters.cpu_time import CpuTime
from cemai_opt.search import DRIVER, Budget, Events, Ledger, Search, SearchContext, SearchState, pruning
from cemai_opt.search.samplers import SamplerContext, sampler_named
from cemai_opt.search.suggest import suggest

INTENSITY = 475.0
SUGGEST_J: Mapping[str, tuple[float, float]] = {
    "random": (0.022, 0.0),
    "nsga2_stock": (0.023, 0.0),
    "nsga2": (0.022, 1.3e-5),
    "tpe": (0.1, 4.5e-4),
}
"""Joules of one suggestion: a constant and a term per earlier trial; measured by `suggest_cost`."""
OFF: Mapping[str, Mapping[str, float]] = {
    "cap": {"CAP_FACTOR": math.inf},
    "curve": {"MIN_CURVES": 10**9},
    "fold": {"MIN_FOLDED": 10**9},
}
"""Constants of `search.pruning` with the values that switch a rule off."""


@dataclass(frozen=True)
class Arm:
    """One search strategy. `stock`: Optuna's sampler alone; otherwise the product with some of its features."""

    sampler: str = "nsga2"
    stock: bool = False
    population: int | None = None
    cache: bool = True
    candidates: bool = True
    """Do curve candidates count as trials?"""
    rules: tuple[str, ...] = ("cap", "curve", "fold")
    """Pruning rules: cap on the cost, learning curve, first fold."""


ARMS: Mapping[str, Arm] = {
    "stock NSGA-II": Arm("nsga2_stock", stock=True, population=50),
    "stock TPE": Arm("tpe", stock=True),
    "random": Arm("random", stock=True),
    "NSGA-II": Arm(cache=False, candidates=False, rules=()),
    "+ cap": Arm(cache=False, candidates=False, rules=("cap",)),
    "+ cache": Arm(candidates=False, rules=("cap",)),
    "+ candidates": Arm(rules=("cap",)),
    "+ curve": Arm(rules=("cap", "curve")),
    "+ first fold": Arm(),
    "TPE + all": Arm("tpe"),
}


class WholeBudget(Budget):
    """A budget of which nothing is reserved: a replay does not test its front."""

    def reserved(self, members: Sequence[TrialResult], *, n_folds: int) -> tuple[float, float]:
        """Nothing."""
        return 0.0, 0.0


class _SuggestionCosts(Events):
    """Books the joules of each suggestion."""

    def __init__(self, sampler: str, ledger: Ledger) -> None:
        self._sampler, self._ledger, self._n_results = sampler, ledger, 0

    def on_result(self, result: TrialResult, state: SearchState) -> None:
        """Books the suggestion that led to a result; curve candidates were not suggested."""
        self._n_results += 1
        if result.parent is None:
            joules = _suggest_j(self._sampler, self._n_results)
            row = Measurement(
                stage="suggest", duration_s=0.0, cpu_s=0.0, energy_j={"cpu": joules}, uncertainty_j=0.0, source="fit"
            )
            self._ledger.book(replace(result, spent=Cost((row,))), DRIVER)


@dataclass(frozen=True)
class Course:
    """Grams spent and hypervolume after every result, and how many good trials were lost."""

    spent_g: np.ndarray
    hypervolume: np.ndarray
    n_lost: int
    n_run: int

    def at(self, grams: float) -> float:
        """Hypervolume when this much was spent."""
        i = int(np.searchsorted(self.spent_g, grams, side="right")) - 1
        return float(self.hypervolume[i]) if i >= 0 else 0.0

    def grams_to(self, hypervolume: float) -> float:
        """Grams spent until this hypervolume was reached; infinite where it never was."""
        reached = np.flatnonzero(self.hypervolume >= hypervolume)
        return float(self.spent_g[reached[0]]) if len(reached) else math.inf


def main() -> None:
    """Prints a table for each recorded study, and writes all figures as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--only", default="", help="names of arms, separated by commas")
    parser.add_argument("--models", default="", help="search only these models, separated by commas")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    args = parser.parse_args()
    names = [name for name in ARMS if not args.only or name in args.only.split(",")]
    figures: dict[str, Any] = {}
    for path in args.tables:
        figures[path.name] = _compared(path, names, args=args)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")


def _compared(path: Path, names: list[str], *, args: argparse.Namespace) -> dict[str, Any]:
    """Runs all arms on one table, prints a line for each, and returns the figures."""
    table, seeds, trials, models = _table(path), args.seeds, args.trials, args.models
    print(f"\n{path.name}: {table.n_pipelines} pipelines, {table.n_evaluated} evaluations; {seeds} seeds")
    header = ("arm", "hv at 1/10", "hv at equal", "grams to equal hv", "lost", "trials")
    print(f"{header[0]:<16}{header[1]:>22}{header[2]:>22}{header[3]:>24}{header[4]:>6}{header[5]:>8}")
    figures: dict[str, Any] = {}
    with ProcessPoolExecutor(args.workers) as pool:
        first = [(path, "stock NSGA-II", seed, trials, math.inf, models) for seed in range(seeds)]
        baseline = list(pool.map(_course, *zip(*first, strict=True)))
        baseline_g = float(np.median([course.spent_g[-1] for course in baseline]))
        baseline_hv = float(np.median([course.hypervolume[-1] for course in baseline]))
        print(f"baseline: {baseline_g * 1e3:.1f} mg, hypervolume {baseline_hv:.4f} (medians)")
        for name in names:
            runs = [(path, name, seed, trials, baseline_g, models) for seed in range(seeds)]
            courses = baseline if name == "stock NSGA-II" else list(pool.map(_course, *zip(*runs, strict=True)))
            tenth, equal = ([c.at(share * baseline_g) for c in courses] for share in (0.1, 1.0))
            share = [c.grams_to(baseline_hv) / baseline_g for c in courses]
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


def _course(path: Path, name: str, seed: int, trials: int, max_g: float, models: str = "") -> Course:
    """One search: `trials` trials for the baseline (`max_g` is infinite), as many as `max_g` pays for otherwise."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    threadpool_limits(1)
    arm, table = ARMS[name], _table(path)
    space = table.space_of(tuple(models.split(","))) if models else table.space
    max_trials = trials if math.isinf(max_g) else 10 * trials
    study = _study(arm, seed=seed, trials=max_trials, max_g=max_g, folds=table.folds)
    sampler = SamplerContext(trials=max_trials if arm.stock else trials, seed=seed, population=arm.population)
    optuna_study = optuna.create_study(
        directions=["maximize", "minimize"], sampler=sampler_named(arm.sampler).build(space, sampler)
    )
    ledger = Ledger([CpuTime(clock=lambda: 0.0, watts=1.0)], start_j=0.0)
    context = SearchContext(
        study=study,
        space=space,
        engine=TableEngine(table),
        ledger=ledger,
        budget=WholeBudget(study, ledger, start_s=0.0),
        optuna_study=optuna_study,
        sampler=sampler,
        events=_SuggestionCosts(arm.sampler, ledger),
        cache="cache" if arm.cache and not arm.stock else None,
    )
    return _course_of(_stock(context) if arm.stock else _product(context, arm), table, study=study, arm=arm)


def _study(arm: Arm, *, seed: int, trials: int, max_g: float, folds: int) -> ResolvedStudy:
    search = {
        "sampler": arm.sampler,
        "trials": trials,
        "confirm": 0,
        "harvest": arm.candidates,
        "stop_early": bool(arm.rules),
        "budget_g": None if math.isinf(max_g) else max_g,
    }
    return parse_resolved_study(
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


def _stock(context: SearchContext) -> list[TrialResult]:
    """Optuna's ask-and-tell loop with one of its samplers, and nothing else."""
    study, asked, results, spent_g = context.study, context.optuna_study, list[TrialResult](), 0.0
    max_g = study.search.budget_g or math.inf
    while len(results) < study.search.trials and spent_g < max_g:
        trial = asked.ask()
        config = context.space.active(suggest(trial, context.space))
        plan = TrialPlan(
            trial=trial.number, study=study, config=config, phase="search", stages=(), folds=study.split.folds
        )
        result = context.engine.run(plan).result()
        assert result.score is not None, "without bounds every trial is complete"
        asked.tell(trial, [result.score, study.carbon.grams(result.cost.energy_j)])
        spent_g += study.carbon.grams(result.spent.energy_j + _suggest_j(study.search.sampler, len(results)))
        results.append(result)
    return results


def _product(context: SearchContext, arm: Arm) -> list[TrialResult]:
    """The product's own search with the features of the arm."""
    with _only(arm.rules):
        search = Search(context)
        search.run()
    return search.results


@contextmanager
def _only(rules: tuple[str, ...]) -> Iterator[None]:
    """Switches all other pruning rules off."""
    off: dict[str, Any] = {}
    for rule, values in OFF.items():
        if rule not in rules:
            off.update(values)
    with mock.patch.dict(vars(pruning), off):
        yield


def _course_of(results: list[TrialResult], table: Table, *, study: ResolvedStudy, arm: Arm) -> Course:
    grams: Callable[[float], float] = study.carbon.grams
    logs = [math.log10(grams(joules)) for joules in table.costs_j]
    box = Box(min(logs), max(logs))
    front, spent_g, spent, values = ParetoFront(()), 0.0, list[float](), list[float]()
    for i, result in enumerate(results):
        spent_g += grams(result.spent.energy_j + (_suggest_j(arm.sampler, i) if result.parent is None else 0.0))
        if result.is_complete and result.score is not None:
            front = ParetoFront.of([*front, Point(result.trial, result.score, grams(result.cost.energy_j))])
        spent.append(spent_g)
        values.append(front.hypervolume(box))
    engine, n_lost = TableEngine(table), 0
    for result in results:
        if result.state == PRUNED:
            score, joules = engine.truth(result.config)
            point = Point(-1, score, grams(joules))
            n_lost += score > 0 and not any(
                dominates(p, point) or (p.score >= score and p.carbon_g <= point.carbon_g) for p in front
            )
    return Course(np.array(spent), np.array(values), n_lost, sum(r.has_run for r in results))


def _suggest_j(sampler: str, n: int) -> float:
    fixed_j, per_trial_j = SUGGEST_J[sampler]
    return fixed_j + per_trial_j * n


if __name__ == "__main__":
    main()
