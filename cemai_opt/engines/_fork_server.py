"""A process that has loaded the libraries and only forks: a new worker is ready in milliseconds.

A process that has trained must not be forked, because locks of its thread pools would stay locked in the child. This
one never trains. It adopts orphaned children of its workers (prctl(2), PR_SET_CHILD_SUBREAPER), so that every process
that a trial has started can be found and killed, and it ends with all its descendants when its parent has ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from cemai_opt.core.errors import StudyError, TrialError

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
"""linux/prctl.h"""
TIDY_S = 5.0
"""Interval at which the server reaps orphans."""
MAX_MESSAGE = 65536
SLACK_BYTES = 256_000_000
"""Address space in addition to the memory limit of a trial: OpenBLAS allocates 32 MB at a time, and retries forever in
native code if that fails. The supervisor polls the memory in use; this limit stops what grows between two polls."""
MAX_STARTS = 10
"""Maximum number of times that a server is started for one worker."""
BASE = ("numpy", "pandas", "sklearn.ensemble", "sklearn.linear_model", "threadpoolctl", "cemai_opt.engines._child")
"""Loaded before the first worker is forked; other libraries of a stage or a model, before the first plan with it."""
START = "import sys; sys.path[:] = {path!r}; from cemai_opt.engines._fork_server import serve; serve({fd})"
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True)
class ForkedWorker:
    """A forked process: its id, the connection on which it receives plans, and the generation of its libraries."""

    pid: int
    wire: Connection
    generation: int


@dataclass(frozen=True)
class ExitStatus:
    """How a worker ended: its status as in waitpid(2) (None: unknown), and its CPU time."""

    status: int | None = None
    cpu_s: float = 0.0

    @property
    def reason(self) -> str:
        """The status in words."""
        if self.status is None:
            return "its process ended together with the process that starts workers"
        if os.WIFSIGNALED(self.status):
            name = signal.Signals(os.WTERMSIG(self.status)).name
            return f"its process was killed by {name}{', by a user or for lack of memory' * (name == 'SIGKILL')}"
        return f"its process ended itself with exit status {os.waitstatus_to_exitcode(self.status)}"


class ForkServer:
    """The client side of the server. Its methods may be called from several threads.

    A server that was killed is started again; its workers have died with it.
    """

    def __init__(self, threads: int) -> None:
        """Thread pools of BLAS and OpenMP have `threads` threads in every worker."""
        self._threads, self._lock = threads, threading.Lock()
        self._libraries = dict.fromkeys(BASE)
        self.generation = 0
        """Incremented whenever libraries are loaded: workers of an earlier generation lack them."""
        self._is_closed = False
        self._start()

    def load(self, libraries: Iterable[str]) -> None:
        """Loads libraries for all workers that are forked from now on."""
        with self._lock:
            new = [name for name in libraries if name not in self._libraries]
            if new:
                self._libraries.update(dict.fromkeys(new))
                self._load(new)

    def fork(self, memory_bytes: int) -> ForkedWorker:
        """A new worker that may allocate `memory_bytes` in addition to its memory at the start.

        StudyError if no server stays alive; TrialError after `close`.
        """
        with self._lock:
            for _ in range(MAX_STARTS):
                try:
                    return self._forked(memory_bytes)
                except OSError:
                    if self._is_closed:
                        raise TrialError("the engine is closed") from None
                    self._end()
                    self._start()
        raise StudyError(f"the process that starts workers has died {MAX_STARTS} times", "try --engine in_process")

    @property
    def pid(self) -> int:
        """Process number of the server."""
        return self._process.pid

    def reap(self, pid: int) -> ExitStatus:
        """Kills a worker if it is alive, and all its descendants; waits until they have ended."""
        with self._lock:
            try:
                return ExitStatus(**self._asked({"reap": pid}))
            except OSError:  # the server has ended, and all its descendants too
                return ExitStatus()

    def close(self) -> None:
        """Ends the server and all its descendants at any time."""
        self._is_closed = True
        self._socket.shutdown(socket.SHUT_RDWR)  # wakes up a thread that waits for an answer
        with self._lock:
            self._end()

    def _start(self) -> None:
        self._socket, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with there:
            self._process = subprocess.Popen(
                [sys.executable, "-c", START.format(path=sys.path, fd=there.fileno())],
                pass_fds=[there.fileno()],
                stdin=subprocess.DEVNULL,
                env={**_plain_environment(), **dict.fromkeys(POOLS, str(self._threads))},
                start_new_session=True,  # Ctrl-C is for the parent process
            )
        self._load(list(self._libraries))

    def _end(self) -> None:
        self._socket.close()
        try:
            self._process.wait(timeout=TIDY_S)
        except subprocess.TimeoutExpired:  # it is loading a library
            self._process.kill()
            self._process.wait()

    def _load(self, libraries: Sequence[str]) -> None:
        self.generation += 1
        with contextlib.suppress(OSError):  # if the server has ended, the next one loads them
            self._socket.send(json.dumps({"load": libraries}).encode())

    def _forked(self, memory_bytes: int) -> ForkedWorker:
        here, there = Pipe()
        with there:
            reply = self._asked({"fork": memory_bytes}, there.fileno())
        return ForkedWorker(int(reply["pid"]), here, generation=self.generation)

    def _asked(self, request: Mapping[str, Any], *descriptors: int) -> dict[str, Any]:
        """The server's answer. OSError if the server has ended."""
        socket.send_fds(self._socket, [json.dumps(request).encode()], descriptors)
        answer = self._socket.recv(MAX_MESSAGE)
        if not answer:
            raise ConnectionResetError("the server is gone")
        return dict(json.loads(answer))


def _plain_environment() -> dict[str, str]:
    """This process's environment without settings of the allocator, so that a trial has the same cost on all engines.

    Dask's workers return memory at once (MALLOC_TRIM_THRESHOLD_), which made short trials cost 1.75 times as much.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}


def serve(descriptor: int) -> None:
    """The main loop of the server, which ends when its socket is closed at the other end."""
    control = socket.socket(fileno=descriptor)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    root, workers = os.getppid(), set[int]()
    while True:
        if not select.select([control], [], [], TIDY_S)[0]:
            _reap_orphans(workers)
            if os.getppid() == root:
                continue
            break  # the parent has ended, but a copy of the other end of the socket is still open
        message, descriptors, _, _ = socket.recv_fds(control, MAX_MESSAGE, 1)
        if not message:
            break
        request = json.loads(message)
        if "load" in request:
            for name in request["load"]:
                with contextlib.suppress(Exception):  # the worker that needs it will report the error
                    importlib.import_module(name)
            from cemai_opt.engines._child import warm_up

            warm_up()
            gc.collect()
            gc.freeze()  # so that garbage collection in a worker does not copy shared pages
        elif "fork" in request:
            pid = os.fork()
            if pid == 0:
                control.close()
                _work(descriptors[0], request["fork"], root=root)
            os.close(descriptors[0])
            workers.add(pid)
            _answer(control, {"pid": pid})
        else:
            _answer(control, _reaped(request["reap"], workers))
    for pid in tuple(workers):
        _reaped(pid, workers)
    os._exit(0)


def _answer(control: socket.socket, answer: object) -> None:
    """Answers the driver; if it has been killed, the next read of the socket ends the server."""
    with contextlib.suppress(BrokenPipeError):
        control.send(json.dumps(answer).encode())


def _work(descriptor: int, memory_bytes: int, *, root: int) -> None:
    """Becomes a worker; does not return."""
    server = os.getppid()
    try:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        _prctl(PR_SET_CHILD_SUBREAPER, 1)  # its descendants stay in its process tree, and count as its CPU time
        if os.getppid() != server:
            os._exit(0)
        os.setsid()
        _bound_memory(memory_bytes + SLACK_BYTES)
        from cemai_opt.engines._child import serve_plans

        serve_plans(Connection(descriptor), root)
        os._exit(0)
    finally:
        os._exit(1)


def _bound_memory(memory_bytes: int) -> None:
    """Limits the memory that this process may allocate in addition; private data only, without mapped files."""
    import resource  # there is none on Windows, where this module can be imported but not used

    with open("/proc/self/statm", encoding="ascii") as stream:
        held = int(stream.read().split()[5]) * os.sysconf("SC_PAGE_SIZE")
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = held + memory_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def _reaped(pid: int, workers: set[int]) -> dict[str, Any]:
    """Kills a worker, then its orphans that this process has adopted, and theirs, until there are none."""
    if pid not in workers:
        return {"status": 0, "cpu_s": 0.0}
    os.kill(pid, signal.SIGKILL)  # not yet reaped, so the id still belongs to it
    _, status, usage = os.wait4(pid, 0)
    workers.discard(pid)
    cpu_s = usage.ru_utime + usage.ru_stime
    while True:
        orphans = [child for child in _children() if child not in workers]
        if not orphans:
            return {"status": status, "cpu_s": cpu_s}
        for orphan in orphans:
            os.kill(orphan, signal.SIGKILL)
            _, _, usage = os.wait4(orphan, 0)
            cpu_s += usage.ru_utime + usage.ru_stime


def _reap_orphans(workers: set[int]) -> None:
    """Reaps children that have ended and are not workers; workers are reaped in `_reaped`."""
    for child in _children():
        if child not in workers:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, os.WNOHANG)


def _children() -> list[int]:
    """Direct children of this process, of which only one thread starts processes: proc(5)."""
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as stream:
        return [int(pid) for pid in stream.read().split()]


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
