"""The process that forks workers."""

from __future__ import annotations

import os
import signal

from cemai_opt.engines._fork_server import ForkServer
from tests.engines.conftest import gone


def test_a_killed_fork_server_is_started_again() -> None:
    """Its worker is lost, the next one is not."""
    server = ForkServer(threads=1)
    worker = server.fork(10**9)
    os.kill(server.pid, signal.SIGKILL)
    assert server.reap(worker.pid).status is None
    again = server.fork(10**9)
    assert again.pid != worker.pid
    os.kill(again.pid, signal.SIGTERM)
    assert server.reap(again.pid).reason == "its process was killed by SIGTERM"
    server.close()
    assert gone([worker.pid, again.pid])
