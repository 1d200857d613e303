"""What engines cost and gain: `python -m benchmarks.engines [PART ...]`; parts: walls, start, overhead, energy.

- walls: wall time of the same trials of about a second with one worker and with two, in turn.
- start: how long a new worker takes, and a plan after its worker was killed; median and worst.
- overhead: wall time around a trial of milliseconds, by engine.
- energy: joules charged for one pipeline alone and beside another, against the uncertainty that is stated.
"""

from __future__ import annotations

import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from pathlib import Path

from cemai_opt.compose import Settled, load_study, settle
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.result import TrialResult
from cemai_opt.engines import ENGINES, Engine
from cemai_opt.engines._fork_server import ForkServer

SHORT = {"train": {"model": "ridge"}}
SECOND = {
    "featurize": {"rolling": "mean_std_range"},
    "train": {"model": "xgboost", "n_estimators": 180, "max_depth": 10, "learning_rate": 0.05},
}
"""About a second of one core on the demo's rows."""
N_WALL, N_SHORT, N_ENERGY, ROUNDS = 12, 60, 10, 3


def plan_of(settled: Settled, config: dict[str, dict[str, object]], number: int = 0) -> TrialPlan:
    """A plan of the search without explaining."""
    stages = tuple(name for name in settled.space.stages if name != "explain")
    return TrialPlan(number, settled.study, Config(config), "search", stages, folds=1)  # type: ignore[arg-type]  # values


@contextmanager
def opened(settled: Settled, name: str, workers: int = 1) -> Iterator[tuple[Settled, Engine]]:
    """An engine with its workers warm, and the study that names it."""
    engine_spec = settled.study.engine.model_copy(update={"name": name, "workers": workers})
    study = settled.study.model_copy(update={"engine": engine_spec})
    own = Settled(**{**vars(settled), "study": study})
    with tempfile.TemporaryDirectory() as folder:
        engine = ENGINES.require(name).opened(study, Path(folder))
        wait([engine.run(plan_of(own, SECOND, i)) for i in range(workers)])
        try:
            yield own, engine
        finally:
            engine.close()


def in_turn(settled: Settled, engine: Engine, config: dict[str, dict[str, object]], n: int) -> list[TrialResult]:
    """Results of so many plans, as many at the same time as the engine has slots, as a search hands them out."""
    running, results = set(), []
    for i in range(n):
        if len(running) >= engine.slots:
            done, running = wait(running, return_when="FIRST_COMPLETED")
            results += [future.result() for future in done]
        running.add(engine.run(plan_of(settled, config, i)))
    results += [future.result() for future in running]
    assert all(result.is_complete for result in results), results[0].reason
    return results


def walls(settled: Settled) -> None:
    """Two workers against one."""
    with opened(settled, "worker_process", 1) as (one, alone), opened(settled, "worker_process", 2) as (two, both):
        ratios, walls_s = [], []
        for _ in range(ROUNDS):
            start_s = time.monotonic()
            in_turn(one, alone, SECOND, N_WALL)
            middle_s = time.monotonic()
            in_turn(two, both, SECOND, N_WALL)
            end_s = time.monotonic()
            ratios.append((middle_s - start_s) / (end_s - middle_s))
            walls_s.append((middle_s - start_s, end_s - middle_s))
        shown = ", ".join(f"{a:.1f} s / {b:.1f} s" for a, b in walls_s)
        print(f"{N_WALL} trials, 1 worker / 2 workers: {shown}; x{statistics.median(ratios):.2f} (median)")


def start(settled: Settled) -> None:
    """A fork, and a plan on a worker that has to be made."""
    server = ForkServer(threads=1)
    server.load(["xgboost", "torch"])
    times = [_timed(lambda: server.bury(server.fork(10**9).pid)) for _ in range(30)][1:]
    print(f"worker started and buried again: {_ms(times)}")
    server.close()
    with opened(settled, "worker_process") as (own, engine):
        plan = plan_of(own, SHORT)
        usual = [_timed(lambda: engine.run(plan).result()) for _ in range(20)]
        print(f"plan on a warm worker: {_ms(usual)}")
        after = []
        for _ in range(20):
            os.kill(engine._guards.queue[-1]._worker.pid, signal.SIGKILL)  # type: ignore[attr-defined]  # its insides
            time.sleep(0.1)
            engine.run(plan).result()  # fails
            after.append(_timed(lambda: engine.run(plan).result()))
        print(f"plan on a new worker:  {_ms(after)}")


def overhead(settled: Settled) -> None:
    """Wall time of a short trial beyond what its stages took."""
    for name in ("in_process", "worker_process", "dask"):
        with opened(settled, name) as (own, engine):
            plan, extra, joules = plan_of(own, SHORT), [], []
            for _ in range(N_SHORT):
                start_s = time.monotonic()
                result = engine.run(plan).result()
                extra.append(time.monotonic() - start_s - result.spent.duration_s)
                joules.append(result.cost.energy_j)
            charged = statistics.median(joules)
            print(f"{name:15} around a trial: {_ms(extra)}; charged {1000 * charged:.2f} mJ a trial")


def energy(settled: Settled) -> None:
    """The same pipelines alone and beside each other."""
    for label, config in (("ridge, ms", SHORT), ("xgboost, 1 s", SECOND)):
        with opened(settled, "worker_process", 1) as (one, alone), opened(settled, "worker_process", 2) as (two, both):
            first, second = [], []
            for _ in range(ROUNDS):
                first += in_turn(one, alone, config, N_ENERGY)
                second += in_turn(two, both, config, N_ENERGY)
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
    """Runs the parts that are named, or all."""
    settled = settle(load_study("demo"))
    for name in sys.argv[1:] or PARTS:
        PARTS[name](settled)


if __name__ == "__main__":
    main()
