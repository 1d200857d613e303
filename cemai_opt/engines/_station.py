"""What a Dask worker holds for one driver: a fork server, guards, and the data, made once and not per trial."""

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
from cemai_opt.datasets import Dataset, store
from cemai_opt.engines._company import Company, in_company
from cemai_opt.engines._fork_server import ForkServer
from cemai_opt.engines._guard import Guard
from cemai_opt.engines._memory import trial_bytes
from cemai_opt.meters import open_meters

IDLE_S = 600.0
"""A driver that has asked for nothing for so long is gone, or has all that it wanted."""

_stations: dict[str, Station] = {}
_lock = threading.Lock()


def run_in_station(session: str, document: Mapping[str, Any], data: Dataset, key: str) -> dict[str, Any]:
    """Runs a plan on this Dask worker in a guarded child process. `session` names the driver's session.

    The answer holds the result, or the fault that is not the trial's, and the joules that this worker has spent since
    its last answer to this session, trials and all.
    """
    from distributed import get_worker

    worker = get_worker()
    plan = TrialPlan.from_json(document)
    with _lock:
        if session not in _stations:
            folder = Path(worker.local_directory) / f"cemai-opt-{session}"
            _stations[session] = Station(session, plan, data, folder, worker.state.nthreads)
        station = _stations[session]

    def is_wanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state == "executing"

    return station.run(plan, is_wanted)


def close_station(session: str) -> None:
    """Ends on this Dask worker what a session has started there, and waits until it is in the worker's account."""
    with _lock:
        station = _stations.pop(session, None)
    if station is not None:
        station.close()


class Station:
    """Runs plans of one session, as many at the same time as it is asked to."""

    def __init__(self, session: str, plan: TrialPlan, data: Dataset, folder: Path, slots: int) -> None:
        """`folder` is the station's own; `slots` trials share the memory of the machine."""
        self._session, study = session, plan.study
        self._meters = open_meters(study.carbon.meter, study.device, study.threads)
        self._told_j = self._reading_j()
        self._server = ForkServer(study.threads)
        self._folder, self._data = folder, store(data, folder)
        self._memory_bytes = trial_bytes(study.engine, slots)
        self._guards: list[Guard] = []
        self._company = Company()
        self._lock, self._n_running = threading.Lock(), 0
        self._timer: threading.Timer | None = None

    def run(self, plan: TrialPlan, is_wanted: Callable[[], bool]) -> dict[str, Any]:
        """What became of a plan, with the joules since the last answer."""
        guard = self._taken()
        plan = replace(plan, cache=str(self._folder / "stages") if plan.cache else None)  # a driver's path is not ours
        try:
            with self._company.visit() as visit:
                result = guard.run(plan, is_wanted)
            answer: dict[str, Any] = {"result": (in_company(result) if visit.had_company else result).to_json()}
        except CemaiError as error:
            answer = {"fault": type(error).__name__, "message": error.message, "hint": error.hint}
        finally:
            self._given_back(guard)
        return {**answer, "spent_j": self._spent_j()}

    def close(self) -> None:
        """Ends everything, and removes the folder."""
        self._server.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _taken(self) -> Guard:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._n_running += 1
            if self._guards:
                return self._guards.pop()
        return Guard(self._server, self._data, self._memory_bytes)

    def _given_back(self, guard: Guard) -> None:
        with self._lock:
            self._guards.append(guard)
            self._n_running -= 1
            if self._n_running == 0:
                self._timer = threading.Timer(IDLE_S, close_station, [self._session])
                self._timer.daemon = True
                self._timer.start()

    def _spent_j(self) -> float:
        with self._lock:
            now_j = self._reading_j()
            spent_j, self._told_j = now_j - self._told_j, now_j
            return spent_j

    def _reading_j(self) -> float:
        return math.fsum(meter.peek_j() for meter in self._meters)
