"""Compares the product with Optuna's own NSGA-II live: same data, meters and machine, one search after the other.

    python -m benchmarks.search.live STUDY... [--trials 200] [--seed 0]

Both search the same space and run the same pipelines; libraries are loaded before. Grams are read off the meters from
the first suggestion on, so they include sampling, writing and caching. The product's search may spend the grams that
the other one has spent. Printed are its hypervolume at a tenth of them and at the end, and the grams that it needed to
reach the other's hypervolume. Hypervolume is measured in the box around all pipelines of both.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path

import optuna

from benchmarks.search.__main__ import WholeBudget
from cemai_opt import compose
from cemai_opt.core.front import Box, ParetoFront, Point
from cemai_opt.core.objective import objective_g, objective_unit
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.result import TrialResult
from cemai_opt.core.units import readable_grams
from cemai_opt.engines import ENGINES
from cemai_opt.models import MODELS
from cemai_opt.pipeline import task_of
from cemai_opt.search import Events, Ledger, Search, SearchContext, SearchState
from cemai_opt.search.samplers import SamplerContext, sampler_named
from cemai_opt.search.storage import open_study
from cemai_opt.search.suggest import suggest

ENGINE = "in_process"
Course = list[tuple[float, Point | None]]
"""After each result the grams drawn so far, and the pipeline that was found, if any."""


def main() -> None:
    """Prints one line per study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="+")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    for name in args.studies:
        prepared = compose.prepare(compose.load_study(name).model_copy(update={"seed": args.seed}))
        _load_libraries(prepared)
        stock = _stock(prepared, args.trials)
        product = _product(prepared, stock[-1][0], trials=args.trials)
        print(f"{name} seed {args.seed}: {_compared(stock, product)}", flush=True)


def _compared(stock: Course, product: Course) -> str:
    box = Box.around([point for _, point in [*stock, *product] if point is not None])
    target, spent = _hypervolume(stock, box), stock[-1][0]
    reached = next((g for g, _ in product if _hypervolume(product, box, max_g=g) >= target), None)
    share = f"{reached / spent:.3f} of its grams" if reached is not None else "never"
    return (
        f"stock NSGA-II {len(stock)} trials, {readable_grams(spent)}, hypervolume {target:.4f}; "
        f"product {_hypervolume(product, box, max_g=0.1 * spent):.4f} at a tenth, "
        f"{_hypervolume(product, box):.4f} at {readable_grams(product[-1][0])}; reached it after {share}"
    )


def _hypervolume(course: Course, box: Box, *, max_g: float = math.inf) -> float:
    return ParetoFront.of(point for grams, point in course if point is not None and grams <= max_g).hypervolume(box)


def _load_libraries(prepared: compose.PreparedStudy) -> None:
    """Imports what any model needs, and runs one pipeline."""
    plan = _plan(prepared, prepared.space.active({}), number=0)
    for model in prepared.space.models:
        MODELS.require(model).load(task_of(plan, prepared.data))
    ENGINES.require(ENGINE)().run(plan)


def _plan(prepared: compose.PreparedStudy, config: Config, *, number: int) -> TrialPlan:
    stages = tuple(stage for stage in prepared.space.stages if stage != "explain")
    return TrialPlan(
        trial=number,
        study=prepared.study,
        config=config,
        phase="search",
        stages=stages,
        folds=prepared.study.split.folds,
    )


class _Meter(Events):
    """Notes after each result the grams drawn since the start."""

    def __init__(self, prepared: compose.PreparedStudy) -> None:
        self._prepared, self.course = prepared, Course()
        self.start_j = _drawn_j(prepared)

    def on_result(self, result: TrialResult, state: SearchState) -> None:
        """Notes a result of the product's search."""
        self.note(_point(self._prepared, result))

    def note(self, point: Point | None) -> None:
        """Notes a pipeline, or that none was found."""
        grams = self._prepared.study.carbon.grams(_drawn_j(self._prepared) - self.start_j)
        self.course.append((grams, point))


def _drawn_j(prepared: compose.PreparedStudy) -> float:
    return math.fsum(meter.peek_j() for meter in prepared.meters)


def _stock(prepared: compose.PreparedStudy, trials: int) -> Course:
    """Optuna's ask-and-tell loop with NSGA-II and population 50."""
    study, space, engine, meter = prepared.study, prepared.space, ENGINES.require(ENGINE)(), _Meter(prepared)
    sampler = sampler_named("nsga2_stock").build(space, SamplerContext(trials=trials, seed=study.seed, population=50))
    asked = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    for _ in range(trials):
        trial = asked.ask()
        config = space.active(suggest(trial, space))
        point = _point(prepared, engine.run(_plan(prepared, config, number=trial.number)).result())
        state = optuna.trial.TrialState.FAIL if point is None else None
        asked.tell(trial, None if point is None else [point.score, point.carbon_g], state=state)
        meter.note(point)
    return meter.course


def _product(prepared: compose.PreparedStudy, max_g: float, *, trials: int) -> Course:
    """The product's search with its defaults, until it has spent as much."""
    search = prepared.study.search.model_copy(update={"trials": 100 * trials, "budget_g": max_g, "confirm": 0})
    study = prepared.study.model_copy(update={"search": search})
    meter = _Meter(prepared)
    sampler = SamplerContext(trials=trials, seed=study.seed)
    ledger = Ledger(prepared.meters, meter.start_j)
    with tempfile.TemporaryDirectory() as folder:
        context = SearchContext(
            study=study,
            space=prepared.space,
            engine=ENGINES.require(ENGINE)(),
            ledger=ledger,
            budget=WholeBudget(study, ledger, start_s=0.0),
            optuna_study=open_study(
                Path(folder),
                study.name,
                metrics=(study.score, objective_unit(study.objective)),
                sampler=sampler_named(search.sampler).build(prepared.space, sampler),
            ),
            sampler=sampler,
            events=meter,
            cache=str(Path(folder) / "cache"),
        )
        Search(context).run()
    return meter.course


def _point(prepared: compose.PreparedStudy, result: TrialResult) -> Point | None:
    if not result.is_complete or result.score is None:
        return None
    return Point(result.trial, result.score, objective_g(prepared.study, result))


if __name__ == "__main__":
    main()
