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
    """A context; workers have one thread and no nanny, so that killing the process kills the worker.

    `protocol` is "tcp", or "tls" with certificates that the environment names.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], *, n_workers: int = 1, protocol: str = "tcp"
    ) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.address, self._protocol = f"{protocol}://127.0.0.1:{self._port}", protocol
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
        options = ["--protocol", self._protocol, "--no-dashboard", "--no-show"]
        return self._process("scheduler", "--host", "127.0.0.1", "--port", str(self._port), *options)

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


def certificates(folder: Path) -> dict[str, str]:
    """Environment variables by which Dask encrypts everything, with a certificate and a key that are made here."""
    from distributed import Security

    made = Security.temporary()
    folder.mkdir()
    (folder / "certificate.pem").write_text(str(made.tls_ca_file))
    (folder / "key.pem").write_text(str(made.tls_client_key))
    settings = {"REQUIRE_ENCRYPTION": "true", "TLS__CA_FILE": str(folder / "certificate.pem")}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        settings |= {f"TLS__{role}__CERT": str(folder / "certificate.pem")}
        settings |= {f"TLS__{role}__KEY": str(folder / "key.pem")}
    return {f"DASK_DISTRIBUTED__COMM__{name}": value for name, value in settings.items()}
