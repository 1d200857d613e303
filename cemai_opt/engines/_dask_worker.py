"""The state of a Dask worker for one driver: a fork server, supervisors and the data, created once, not per trial."""

from __future__ import annotations

import math
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cemai_opt.core.errors import CemaiError
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.serialization import from_json
from cemai_opt.datasets import Dataset, store
from cemai_opt.engines._contention import Contention, under_contention
from cemai_opt.engines._fork_server import ForkServer
from cemai_opt.engines._memory import trial_bytes
from cemai_opt.engines._supervisor import WorkerSupervisor
from cemai_opt.engines._wire import fault_answer, result_answer
from cemai_opt.meters import open_meters

IDLE_S = 600.0
"""The state of a driver that has requested nothing for this long is deleted."""

_runtimes: dict[str, DaskWorkerRuntime] = {}
_lock = threading.Lock()


def run_on_worker(session: str, document: Mapping[str, Any], *, data: Dataset, worker_key: str) -> dict[str, Any]:
    """Runs a plan on this Dask worker in a supervised child process. `session` is the id of the driver's session.

    The answer holds the result, or an error that is not the trial's, and the joules that this worker has spent since
    its last answer to this session, trials included.
    """
    from distributed import get_worker

    worker = get_worker()
    plan = from_json(TrialPlan, document)
    with _lock:
        if session not in _runtimes:
            folder = Path(worker.local_directory) / f"cemai-opt-{session}"
            _runtimes[session] = DaskWorkerRuntime(session, plan, data=data, folder=folder, slots=worker.state.nthreads)
        runtime = _runtimes[session]

    def is_wanted() -> bool:
        task = worker.state.tasks.get(worker_key)
        return task is not None and task.state == "executing"

    return runtime.run(plan, is_wanted)


def close_runtime(session: str) -> None:
    """Ends the processes that a session has started on this Dask worker, and waits for them."""
    with _lock:
        runtime = _runtimes.pop(session, None)
    if runtime is not None:
        runtime.close()


class DaskWorkerRuntime:
    """Runs plans of one session, as many at the same time as are requested."""

    def __init__(self, session: str, plan: TrialPlan, *, data: Dataset, folder: Path, slots: int) -> None:
        """`folder` belongs to this runtime; `slots` trials share the memory of the machine."""
        self._session, study = session, plan.study
        self._meters = open_meters(study.carbon.meter, study.device, threads=study.threads)
        self._told_j = self._reading_j()
        self._server = ForkServer(study.threads)
        self._folder, self._data = folder, store(data, folder)
        self._memory_bytes = trial_bytes(study.engine, slots)
        self._supervisors: list[WorkerSupervisor] = []
        self._contention = Contention()
        self._lock, self._n_running = threading.Lock(), 0
        self._timer: threading.Timer | None = None

    def run(self, plan: TrialPlan, is_wanted: Callable[[], bool]) -> dict[str, Any]:
        """The answer to a plan, with the joules since the last answer."""
        supervisor = self._taken()
        plan = replace(plan, cache=str(self._folder / "stages") if plan.cache else None)  # not the driver's
        try:
            with self._contention.running() as running:
                result = supervisor.run(plan, is_wanted)
            answer = result_answer(under_contention(result) if running.had_neighbours else result)
        except CemaiError as error:
            answer = fault_answer(error)
        finally:
            self._given_back(supervisor)
        return {**answer, "spent_j": self._spent_j()}

    def close(self) -> None:
        """Ends everything, and removes the folder."""
        self._server.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _taken(self) -> WorkerSupervisor:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._n_running += 1
            if self._supervisors:
                return self._supervisors.pop()
        return WorkerSupervisor(self._server, self._data, memory_bytes=self._memory_bytes)

    def _given_back(self, supervisor: WorkerSupervisor) -> None:
        with self._lock:
            self._supervisors.append(supervisor)
            self._n_running -= 1
            if self._n_running == 0:
                self._timer = threading.Timer(IDLE_S, close_runtime, [self._session])
                self._timer.daemon = True
                self._timer.start()

    def _spent_j(self) -> float:
        with self._lock:
            now_j = self._reading_j()
            spent_j, self._told_j = now_j - self._told_j, now_j
            return spent_j

    def _reading_j(self) -> float:
        return math.fsum(meter.peek_j() for meter in self._meters)
