"""Runs trials in child processes, so that a bad one costs itself and nothing else."""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import LifoQueue

from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import TrialResult
from cemai_opt.core.spec import StudySpec
from cemai_opt.datasets import store
from cemai_opt.engines._company import Company, in_company
from cemai_opt.engines._cores import check_cores
from cemai_opt.engines._engine import Engine
from cemai_opt.engines._fork_server import ForkServer
from cemai_opt.engines._guard import Guard
from cemai_opt.engines._memory import trial_bytes
from cemai_opt.pipeline import read_data


class WorkerProcess(Engine):
    """Guarded child processes, `engine.workers` of them at the same time."""

    def __init__(self, study: StudySpec, scratch: Path | None) -> None:
        check_cores(study)
        spec = study.engine
        self.slots = spec.workers
        self._server = ForkServer(study.threads)  # loads libraries while the data is stored
        self._own = None if scratch else Path(tempfile.mkdtemp(prefix="cemai-opt-"))
        data = store(read_data(study.data, study.task), scratch or self._own or Path())
        memory_bytes = trial_bytes(spec, spec.workers)
        self._guards: LifoQueue[Guard] = LifoQueue()  # the last one used comes first: it has everything at hand
        for _ in range(spec.workers):
            self._guards.put(Guard(self._server, data, memory_bytes))
        self._company = Company()
        self._pool = ThreadPoolExecutor(spec.workers, thread_name_prefix="guard")

    @classmethod
    def opened(cls, study: StudySpec, scratch: Path | None) -> WorkerProcess:
        """The engine with as many workers as the study asks for. StudyError where there are too few cores."""
        return cls(study, scratch)

    def close(self) -> None:
        """Kills what still runs."""
        self._server.close()
        self._pool.shutdown(cancel_futures=True)
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)

    def _run(self, plan: TrialPlan) -> Future[TrialResult]:
        return self._pool.submit(self._guarded, plan)

    def _guarded(self, plan: TrialPlan) -> TrialResult:
        guard = self._guards.get()
        try:
            with self._company.visit() as visit:
                result = guard.run(plan)
        finally:
            self._guards.put(guard)
        return in_company(result) if visit.had_company else result
