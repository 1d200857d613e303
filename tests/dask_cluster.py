"""A Dask scheduler and workers as somebody else would start them: processes of their own on loopback."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType


class DaskCluster:
    """A context; workers have one thread and no nanny, so that killing the process kills the worker."""

    def __init__(self, folder: Path, environment: Mapping[str, str], n_workers: int = 1) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self._port}"
        self._folder, self._environment, self._n_workers = folder, dict(environment), n_workers
        self.workers: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> DaskCluster:
        self.scheduler = self._scheduler()
        self.workers = [self._worker() for _ in range(self._n_workers)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in (*self.workers, self.scheduler):
            process.send_signal(signal.SIGTERM)
        for process in (*self.workers, self.scheduler):
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()

    def kill_worker(self, i: int) -> None:
        """kill -9 of a worker; another one takes its place."""
        self.workers[i].kill()
        self.workers[i].wait()
        self.workers[i] = self._worker()

    def restart(self) -> None:
        """kill -9 of the scheduler, then a new one with new workers, for Dask's workers end with their scheduler."""
        for process in (self.scheduler, *self.workers):
            process.kill()
            process.wait()
        self.scheduler = self._scheduler()
        self.workers = [self._worker() for _ in range(self._n_workers)]

    def _scheduler(self) -> subprocess.Popen[bytes]:
        return self._process(
            "scheduler", "--host", "127.0.0.1", "--port", str(self._port), "--no-dashboard", "--no-show"
        )

    def _worker(self) -> subprocess.Popen[bytes]:
        options = ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--death-timeout", "60"]
        return self._process("worker", self.address, *options)

    def _process(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
