"""Runs trials in child processes, so that a crash affects one trial only."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import LifoQueue

from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import TrialResult
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.datasets import store
from cemai_opt.engines._contention import Contention, under_contention
from cemai_opt.engines._cores import check_cores
from cemai_opt.engines._engine import Engine
from cemai_opt.engines._fork_server import ForkServer
from cemai_opt.engines._memory import trial_bytes
from cemai_opt.engines._supervisor import WorkerSupervisor
from cemai_opt.models import MODELS
from cemai_opt.pipeline import read_data


class WorkerProcess(Engine):
    """Supervised child processes, `engine.workers` of them at the same time."""

    needs_linux = True

    def __init__(self, study: ResolvedStudy, scratch: Path | None) -> None:
        check_cores(study)
        spec = study.engine
        self.slots = spec.workers
        self._server = ForkServer(study.threads)  # loads libraries while the data is stored
        self._own = None if scratch else Path(tempfile.mkdtemp(prefix="cemai-opt-"))
        data = store(read_data(study.data, study.task), scratch or self._own or Path())
        memory_bytes = trial_bytes(spec, spec.workers)
        self._supervisors: LifoQueue[WorkerSupervisor] = (
            LifoQueue()
        )  # the last one used comes first: its caches are warm
        for _ in range(spec.workers):
            self._supervisors.put(WorkerSupervisor(self._server, data, memory_bytes=memory_bytes))
        self._contention = Contention()
        self._pool = ThreadPoolExecutor(spec.workers, thread_name_prefix="guard")

    @classmethod
    def opened(cls, study: ResolvedStudy, scratch: Path | None) -> WorkerProcess:
        """The engine with the number of workers in the study. StudyError if there are too few cores."""
        return cls(study, scratch)

    def expect(self, models: Sequence[str]) -> None:
        """Loads their libraries before the first worker starts: each library that comes later costs a new worker."""
        self._server.load([library for model in models for library in MODELS.find(model).requires])

    def close(self) -> None:
        """Kills running trials."""
        self._server.close()
        self._pool.shutdown(cancel_futures=True)
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)

    def _run(self, plan: TrialPlan) -> Future[TrialResult]:
        return self._pool.submit(self._supervised, plan)

    def _supervised(self, plan: TrialPlan) -> TrialResult:
        supervisor = self._supervisors.get()
        try:
            with self._contention.running() as running:
                result = supervisor.run(plan)
        finally:
            self._supervisors.put(supervisor)
        return under_contention(result) if running.had_neighbours else result
