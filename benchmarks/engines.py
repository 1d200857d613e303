"""Costs and speed-up of the engines: `python -m benchmarks.engines [PART ...]`.

- walls: wall time of the same one-second trials with one worker and with two, in turn.
- start: time to start a worker, and time of a trial whose worker was killed before; median and worst.
- overhead: wall time that each engine adds to a trial of a few milliseconds.
- energy: joules charged for a pipeline that runs alone and for one that runs beside another, compared with the stated
  uncertainty.
"""

from __future__ import annotations

import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cemai_opt.compose import PreparedStudy, load_study, prepare
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.result import TrialResult
from cemai_opt.engines import ENGINES, Engine
from cemai_opt.engines._fork_server import ForkServer
from cemai_opt.meters import own_descendants

Stages = Mapping[str, Mapping[str, Value]]

SHORT: Stages = {"train": {"model": "ridge"}}
"""A few milliseconds."""
SECOND: Stages = {
    "featurize": {"rolling": "mean_std_range"},
    "train": {"model": "xgboost", "n_estimators": 180, "max_depth": 10, "learning_rate": 0.05},
}
"""About a second of one core on the demo's rows."""
NO_MEMORY_LIMIT = 10**9
N_WALL, N_SHORT, N_ENERGY, ROUNDS = 12, 60, 10, 3


def plan_of(prepared: PreparedStudy, config: Stages, *, number: int = 0) -> TrialPlan:
    """A plan of the search phase, without the explain stage."""
    stages = tuple(name for name in prepared.space.stages if name != "explain")
    return TrialPlan(trial=number, study=prepared.study, config=Config(config), phase="search", stages=stages, folds=1)


@contextmanager
def opened(prepared: PreparedStudy, name: str, *, workers: int = 1) -> Iterator[tuple[PreparedStudy, Engine]]:
    """The study with this engine, and the engine with its workers warmed up."""
    engine_spec = prepared.study.engine.model_copy(update={"name": name, "workers": workers})
    study = prepared.study.model_copy(update={"engine": engine_spec})
    own = replace(prepared, study=study)
    with tempfile.TemporaryDirectory() as folder:
        engine = ENGINES.require(name).opened(study, Path(folder))
        wait([engine.run(plan_of(own, SECOND, number=i)) for i in range(workers)])
        try:
            yield own, engine
        finally:
            engine.close()


def run_all(prepared: PreparedStudy, engine: Engine, *, config: Stages, n: int) -> list[TrialResult]:
    """Results of `n` equal plans, as many at the same time as the engine has slots, as a search submits them."""
    running: set[Future[TrialResult]] = set()
    results: list[TrialResult] = []
    for i in range(n):
        if len(running) >= engine.slots:
            done, running = wait(running, return_when="FIRST_COMPLETED")
            results += [future.result() for future in done]
        running.add(engine.run(plan_of(prepared, config, number=i)))
    results += [future.result() for future in running]
    assert all(result.is_complete for result in results), results[0].reason
    return results


def walls(prepared: PreparedStudy) -> None:
    """Speed-up of two workers over one."""
    with (
        opened(prepared, "worker_process") as (one, alone),
        opened(prepared, "worker_process", workers=2) as (two, both),
    ):
        ratios, walls_s = [], []
        for _ in range(ROUNDS):
            start_s = time.monotonic()
            run_all(one, alone, config=SECOND, n=N_WALL)
            middle_s = time.monotonic()
            run_all(two, both, config=SECOND, n=N_WALL)
            end_s = time.monotonic()
            ratios.append((middle_s - start_s) / (end_s - middle_s))
            walls_s.append((middle_s - start_s, end_s - middle_s))
        shown = ", ".join(f"{a:.1f} s / {b:.1f} s" for a, b in walls_s)
        print(f"{N_WALL} trials, 1 worker / 2 workers: {shown}; x{statistics.median(ratios):.2f} (median)")


def start(prepared: PreparedStudy) -> None:
    """Time of a fork, and of a plan for which a worker has to be started."""
    server = ForkServer(threads=1)
    server.load(["xgboost", "torch"])
    times = [_timed(lambda: server.reap(server.fork(NO_MEMORY_LIMIT).pid)) for _ in range(30)][1:]
    print(f"start and end of a worker: {_ms(times)}")
    server.close()
    with opened(prepared, "worker_process") as (own, engine):
        plan = plan_of(own, SHORT)
        usual = [_timed(lambda: engine.run(plan).result()) for _ in range(20)]
        print(f"plan on a warm worker: {_ms(usual)}")
        after = []
        for _ in range(20):
            *_, worker = own_descendants()  # the fork server comes first, then its only worker
            os.kill(worker, signal.SIGKILL)
            time.sleep(0.1)
            engine.run(plan).result()  # fails
            after.append(_timed(lambda: engine.run(plan).result()))
        print(f"plan on a new worker:  {_ms(after)}")


def overhead(prepared: PreparedStudy) -> None:
    """Wall time of a short trial beyond that of its stages."""
    for name in ("in_process", "worker_process", "dask"):
        with opened(prepared, name) as (own, engine):
            plan, extra, joules = plan_of(own, SHORT), [], []
            for _ in range(N_SHORT):
                start_s = time.monotonic()
                result = engine.run(plan).result()
                extra.append(time.monotonic() - start_s - result.spent.duration_s)
                joules.append(result.cost.energy_j)
            charged = statistics.median(joules)
            print(f"{name:15} adds {_ms(extra)} to a trial; charged {1000 * charged:.2f} mJ per trial")


def energy(prepared: PreparedStudy) -> None:
    """Joules of the same pipelines alone and beside each other."""
    for label, config in (("ridge, ms", SHORT), ("xgboost, 1 s", SECOND)):
        with (
            opened(prepared, "worker_process") as (one, alone),
            opened(prepared, "worker_process", workers=2) as (two, both),
        ):
            first, second = [], []
            for _ in range(ROUNDS):
                first += run_all(one, alone, config=config, n=N_ENERGY)
                second += run_all(two, both, config=config, n=N_ENERGY)
        mean = [statistics.fmean(result.cost.energy_j for result in results) for results in (first, second)]
        stated = [
            statistics.fmean(result.cost.uncertainty_j / result.cost.energy_j for result in results)
            for results in (first, second)
        ]
        print(
            f"{label}: 2 workers / 1 worker {mean[1] / mean[0]:.3f}; "
            f"stated standard uncertainty of one trial {stated[0]:.1%} / {stated[1]:.1%}"
        )


def _timed(action: Callable[[], object]) -> float:
    start_s = time.monotonic()
    action()
    return time.monotonic() - start_s


def _ms(times_s: list[float]) -> str:
    return f"{1000 * statistics.median(times_s):.1f} ms (worst {1000 * max(times_s):.0f})"


PARTS = {part.__name__: part for part in (walls, start, overhead, energy)}


def main() -> None:
    """Runs the named parts, or all."""
    prepared = prepare(load_study("demo"))
    for name in sys.argv[1:] or PARTS:
        PARTS[name](prepared)


if __name__ == "__main__":
    main()
