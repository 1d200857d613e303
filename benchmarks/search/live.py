"""The product against Optuna's own NSGA-II, live: same data, same meters, same machine, one after the other.

    python -m benchmarks.search.live STUDY... [--trials 200] [--seed 0]

Both draw from the same space and run the same pipelines; libraries are loaded before. Grams are read off the meters
from the first suggestion on, so choosing, writing and caching are in them. The product's search gets the grams that
the other one has spent; of it the hypervolume at a tenth of them and at the end is printed, and the grams that it
needed to reach the other's hypervolume. Hypervolume is measured in the box around all pipelines of both.
"""

from __future__ import annotations

import argparse
import math
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import optuna

from benchmarks.search.__main__ import WholeBudget
from cemai_opt import compose
from cemai_opt.core.front import Box, Front, Point
from cemai_opt.core.objective import objective_g
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import TrialResult
from cemai_opt.core.units import readable_grams
from cemai_opt.engines import ENGINES
from cemai_opt.models import MODELS
from cemai_opt.pipeline.run import job_of
from cemai_opt.search import Ledger, Search, open_study
from cemai_opt.search.samplers import Budget, sampler_named
from cemai_opt.search.suggest import suggest

Course = list[tuple[float, Point | None]]
"""After each result the grams drawn so far, and the pipeline that was found, if any."""


def main() -> None:
    """Prints one line a study and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="+")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    for name in args.studies:
        settled = compose.settle(compose.load_study(name).model_copy(update={"seed": args.seed}))
        _load_libraries(settled)
        stock = _stock(settled, args.trials)
        ours = _product(settled, stock[-1][0], args.trials)
        print(f"{name} seed {args.seed}: {_compared(stock, ours)}", flush=True)


def _compared(stock: Course, ours: Course) -> str:
    box = Box.around([point for _, point in [*stock, *ours] if point is not None])
    target, spent = _hypervolume(stock, box, math.inf), stock[-1][0]
    reached = next((g for g, _ in ours if _hypervolume(ours, box, g) >= target), None)
    share = f"{reached / spent:.3f} of its grams" if reached is not None else "never"
    return (
        f"stock NSGA-II {len(stock)} trials, {readable_grams(spent)}, hypervolume {target:.4f}; "
        f"product {_hypervolume(ours, box, 0.1 * spent):.4f} at a tenth, "
        f"{_hypervolume(ours, box, math.inf):.4f} at {readable_grams(ours[-1][0])}; reached it after {share}"
    )


def _hypervolume(course: Course, box: Box, most_g: float) -> float:
    return Front.of(point for grams, point in course if point is not None and grams <= most_g).hypervolume(box)


def _load_libraries(settled: compose.Settled) -> None:
    plan = TrialPlan(0, settled.study, settled.space.active({}), "search", (), 1)
    for model in settled.space.models:
        MODELS.require(model).load(job_of(plan, settled.data))
    engine = ENGINES.require("in_process")()
    stages = tuple(stage for stage in settled.space.stages if stage != "explain")
    engine.run(TrialPlan(0, settled.study, settled.space.active({}), "search", stages, settled.study.split.folds or 1))


def _drawn_j(settled: compose.Settled) -> float:
    return math.fsum(meter.peek_j() for meter in settled.meters)


def _stock(settled: compose.Settled, trials: int) -> Course:
    """Optuna's NSGA-II with population 50, asked and told."""
    study, space, course = settled.study, settled.space, Course()
    stages = tuple(stage for stage in space.stages if stage != "explain")
    engine = ENGINES.require("in_process")()
    start_j = _drawn_j(settled)
    sampler = sampler_named("nsga2_stock").build(space, Budget(trials, study.seed, 50))
    asked = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    for _number in range(trials):
        trial = asked.ask()
        config = space.active(suggest(trial, space))
        result = engine.run(TrialPlan(trial.number, study, config, "search", stages, study.split.folds or 1)).result()
        point = _point(settled, result)
        state = optuna.trial.TrialState.FAIL if point is None else None
        asked.tell(trial, None if point is None else [point.score, point.carbon_g], state=state)
        course.append((study.carbon.grams(_drawn_j(settled) - start_j), point))
    return course


def _product(settled: compose.Settled, most_g: float, trials: int) -> Course:
    """The product's search with its defaults, until it has spent as much."""
    search = settled.study.search.model_copy(update={"trials": 100 * trials, "budget_g": most_g, "confirm": 0})
    study = settled.study.model_copy(update={"search": search})
    folder, course = Path(tempfile.mkdtemp()), Course()
    start_j = _drawn_j(settled)
    budget = Budget(trials, study.seed)
    sampler = sampler_named(search.sampler).build(settled.space, budget)
    asked = open_study(folder, study.name, (study.score, "gCO2eq"), sampler)

    def noted(result: TrialResult, state: object) -> None:
        course.append((study.carbon.grams(_drawn_j(settled) - start_j), _point(settled, result)))

    engine, ledger = ENGINES.require("in_process")(), Ledger(settled.meters, start_j)
    earlier: Sequence[TrialResult] = ()
    Search(
        study,
        settled.space,
        asked,
        engine,
        ledger,
        WholeBudget(study, ledger, 0.0),
        earlier,
        noted,
        budget,
        str(folder / "cache"),
    ).run()
    shutil.rmtree(folder)
    return course


def _point(settled: compose.Settled, result: TrialResult) -> Point | None:
    if not result.is_complete or result.score is None:
        return None
    return Point(result.trial, result.score, objective_g(settled.study, result))


if __name__ == "__main__":
    main()
