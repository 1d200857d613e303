"""Thirty trials on a Dask cluster of this machine: the same with one worker and with three, data included."""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cemai_opt.compose import load_study, prepare
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.study import EngineSpec
from cemai_opt.engines import ENGINES
from tests.dask_cluster import DaskCluster

CONFIG = {"featurize": {"rolling": "mean_std_range", "window_rows": 30}, "train": {"model": "xgboost"}}
N_TRIALS = 30


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    command.add_argument("--rows", type=int, default=5_120_040)
    command.set_defaults(command=run)


def run(args: argparse.Namespace) -> None:
    """Prints wall times, their ratio, and how often each worker has got the data."""
    study = load_study("broaching_demo")
    study = study.model_copy(update={"data": study.data.model_copy(update={"rows": args.rows})})
    walls = {}
    for n_workers in (1, 3):
        with TemporaryDirectory() as folder, DaskCluster(Path(folder), os.environ, n_workers=n_workers) as cluster:
            spec = EngineSpec(name="dask", scheduler=cluster.address)
            prepared = prepare(study.model_copy(update={"engine": spec}))
            stages = tuple(name for name in prepared.space.stages if name != "explain")
            n_bytes = sum(getattr(prepared.data, name).nbytes for name in ("X", "y", "group", "order", "is_test"))
            begun = time.monotonic()
            engine = ENGINES.require("dask").opened(prepared.study, None)
            running = set[Any]()
            for i in range(N_TRIALS):
                plan = TrialPlan(
                    trial=i, study=prepared.study, config=Config(CONFIG), phase="search", stages=stages, folds=1
                )
                running.add(engine.run(plan))
            results = [future.result() for future in wait(running).done]
            walls[n_workers] = time.monotonic() - begun
            assert all(result.is_complete for result in results), results[0].reason
            copies = _copies(cluster.address)
            engine.close()
        print(
            f"{n_workers} workers: {walls[n_workers]:.1f} s for {N_TRIALS} trials; {n_bytes / 1e6:.0f} MB of data: "
            + ", ".join(f"{held} held, {fetched} fetched from another worker" for held, fetched in copies),
            flush=True,
        )
    print(f"three workers take {walls[3] / walls[1]:.2f} times the time of one, on {os.cpu_count()} cores")


def _copies(address: str) -> list[tuple[int, int]]:
    """Data sets that each worker holds, and how often it has got one from another worker."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        held = client.run(
            lambda dask_worker: sum(type(value).__name__ == "Dataset" for value in dask_worker.data.values())
        )
        fetched = client.run(lambda dask_worker: len(dask_worker.transfer_incoming_log))
    return [(held[worker], fetched[worker]) for worker in held]
