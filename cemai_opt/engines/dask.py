"""Runs trials on a Dask cluster, each in a supervised child process of its worker."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import uuid
import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cemai_opt.core.errors import CemaiError, StudyError
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import FAILED, TrialResult
from cemai_opt.core.serialization import to_json
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.engines._cores import check_cores
from cemai_opt.engines._dask_worker import close_runtime, run_on_worker
from cemai_opt.engines._engine import Engine
from cemai_opt.engines._wire import result_in
from cemai_opt.pipeline import read_data

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

log = logging.getLogger(__name__)

MAX_THREADS = 1024
"""Maximum number of trials that one driver waits for at the same time."""
CONNECT_S, RECONNECT_S = 10.0, 300.0
"""Timeout of the first connection to a scheduler, and of reconnecting to it after it was lost."""
LOOK_S = 2.0
"""Interval at which the driver checks the number of workers."""
MAX_TRIES = 4
"""Maximum number of submissions of a trial; the scheduler itself tries another worker when one dies."""
GPU = "GPU"
"""The resource that a worker with a GPU declares: `dask worker --resources GPU=1`."""


class Dask(Engine):
    """One trial per thread of a worker; a local cluster of `engine.workers` unless a scheduler is given."""

    requires = ("distributed", "cryptography")

    def __init__(self, study: ResolvedStudy) -> None:
        self._study, self._session = study, uuid.uuid4().hex[:12]
        self._lock, self._is_closed = threading.Lock(), False
        self._cluster: LocalCluster | None = None if study.engine.scheduler else local_cluster(study)
        self._address = study.engine.scheduler or self._cluster.scheduler_address  # type: ignore[union-attr]  # one of both
        self._elsewhere_j = 0.0
        self._looked_s, self._slots = -LOOK_S, 1
        self._pool = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="dask-trial")
        self._connect(CONNECT_S)
        try:
            self._check_gpus()
        except StudyError:
            self.close()
            raise

    @classmethod
    def opened(cls, study: ResolvedStudy, scratch: Path | None) -> Dask:
        """The engine on the cluster of the study. StudyError if no scheduler answers."""
        return cls(study)

    @property
    def slots(self) -> int:  # type: ignore[override]  # workers come and go
        """Number of trials that the current workers can run at the same time; at least 1, which waits for a worker."""
        if time.monotonic() - self._looked_s >= LOOK_S:
            self._looked_s = time.monotonic()
            try:
                n_threads = sum(self._client.nthreads().values())
                self._slots = min(MAX_THREADS, max(1, n_threads // self._study.threads))
            except Exception as error:  # the scheduler is unavailable; the thread that waits for a trial reconnects
                log.warning("the scheduler does not answer, one trial at a time: %s: %s", type(error).__name__, error)
                self._slots = 1
        return self._slots

    def unseen_j(self) -> float:
        """Joules of workers that are not descendants of this process."""
        return self._elsewhere_j

    def close(self) -> None:
        """Cancels running trials, and ends a local cluster."""
        self._is_closed = True
        with contextlib.suppress(Exception):  # the scheduler may have ended
            self._client.run(close_runtime, self._session, on_error="ignore")
        self._client.close(timeout=CONNECT_S)
        if self._cluster is not None:
            self._cluster.close(timeout=CONNECT_S)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, plan: TrialPlan) -> Future[TrialResult]:
        return self._pool.submit(self._finished, plan)

    def _finished(self, plan: TrialPlan) -> TrialResult:
        """The result of a plan, which is submitted again if the scheduler was lost."""
        from distributed import KilledWorker

        reason = ""
        for _ in range(MAX_TRIES):
            client, data = self._client, self._data
            key = f"trial-{plan.trial}-{uuid.uuid4().hex[:12]}"
            try:
                future = client.submit(
                    run_on_worker,
                    self._session,
                    to_json(plan),
                    data=data,
                    worker_key=key,
                    key=key,
                    pure=False,
                    resources={GPU: 1} if self._study.device == "cuda" else None,
                )
                return self._taken(future.result())
            except CemaiError:
                raise
            except KilledWorker as error:
                reason = f"the workers that ran it died, {error.allowed_failures + 1} times"
                break
            except ModuleNotFoundError as error:
                raise StudyError(f"a worker lacks {error.name}", "install cemai-opt on every worker") from error
            except Exception as error:  # a lost connection raises many kinds of exceptions
                if self._is_closed:
                    raise
                reason = f"its scheduler was lost: {type(error).__name__}: {error}"
                self._reconnect(client)
        return TrialResult(trial=plan.trial, state=FAILED, config=plan.config, reason=reason)

    def _taken(self, answer: dict[str, Any]) -> TrialResult:
        with self._lock:
            if self._cluster is None:
                self._elsewhere_j += float(answer["spent_j"])
        return result_in(answer)

    def _connect(self, timeout_s: float) -> None:
        """Connects and scatters the data: each worker receives it once, from here or from another worker."""
        from distributed import Client

        try:
            security = None if self._cluster is None else self._cluster.security
            self._client: Client = Client(self._address, timeout=timeout_s, security=security, set_as_default=False)
            if not self._client.nthreads():
                warnings.warn(f"no worker at {self._address} yet: waiting for one", stacklevel=2)
            self._client.wait_for_workers(1)
            self._data = self._client.scatter(read_data(self._study.data, self._study.task), hash=False)
        except (OSError, TimeoutError, ValueError) as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise StudyError(f"no scheduler at {self._address}: {reason}", "start one with `dask scheduler`") from error

    def _reconnect(self, lost: Client) -> None:
        """Replaces a lost connection as soon as there is a scheduler again."""
        with self._lock:
            if self._client is not lost or self._is_closed:
                return None  # another thread was faster
            lost.close(timeout=1.0)
            end_s = time.monotonic() + RECONNECT_S
            while True:
                try:
                    return self._connect(CONNECT_S)
                except StudyError:
                    if time.monotonic() > end_s:
                        raise
                    time.sleep(1.0)

    def _check_gpus(self) -> None:
        """StudyError if the study requires a GPU and none of the current workers declares one."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        if self._study.device == "cuda" and workers and not any(GPU in worker["resources"] for worker in workers):
            raise StudyError("no worker declares a GPU", f"start workers with --resources {GPU}=1")


def local_cluster(study: ResolvedStudy) -> LocalCluster:
    """A cluster with certificates of its own: without them, every user of the machine could run code in it."""
    from distributed import LocalCluster, Security

    check_cores(study)
    return LocalCluster(
        security=Security.temporary(),
        n_workers=study.engine.workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        memory_limit=0,  # memory is limited by the supervisors
        resources={GPU: 1} if study.device == "cuda" else None,
        silence_logs=logging.CRITICAL,
    )
