"""A process that has loaded the libraries and does nothing but fork: a new worker is ready in milliseconds.

A process that has trained must not be forked: locks of thread pools would stay shut in the child. This one never
trains. It adopts what its workers leave behind (prctl(2), PR_SET_CHILD_SUBREAPER), so whatever a trial has started can
be found and killed, and it ends with everything below it as soon as the process that started it is gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import resource
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
"""So often the server looks for dead orphans."""
MAX_MESSAGE = 65536
SLACK_BYTES = 256_000_000
"""Addresses beyond what a trial may fill: OpenBLAS asks for 32 MB at a time, and tries for ever, in native code, where
it does not get them. Guards look at what is really filled; this bound stops what grows faster than they look."""
MAX_STARTS = 10
"""Times that a server is started for one worker."""
BASE = ("numpy", "pandas", "sklearn.ensemble", "sklearn.linear_model", "threadpoolctl", "cemai_opt.engines._child")
"""Loaded before the first worker is forked; what a stage or a model needs besides, before the first plan with it."""
START = "import sys; sys.path[:] = {path!r}; from cemai_opt.engines._fork_server import serve; serve({fd})"
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True)
class Worker:
    """A forked process: its number, the wire on which it takes plans, and the generation of its libraries."""

    pid: int
    wire: Connection
    generation: int


@dataclass(frozen=True)
class Death:
    """How a worker ended: its status as waitpid(2) gives it (None: nobody knows), and what CPU time it had."""

    status: int | None = None
    cpu_s: float = 0.0

    @property
    def reason(self) -> str:
        """The same in words."""
        if self.status is None:
            return "its process was lost, with the one that starts workers"
        if os.WIFSIGNALED(self.status):
            name = signal.Signals(os.WTERMSIG(self.status)).name
            return f"its process was killed by {name}{', by hand or for want of memory' * (name == 'SIGKILL')}"
        return f"its process ended itself with exit status {os.waitstatus_to_exitcode(self.status)}"


class ForkServer:
    """The server as seen by who started it. Its methods may be called from several threads.

    A server that was killed is started again; its workers have died with it.
    """

    def __init__(self, threads: int) -> None:
        """Pools of BLAS and OpenMP hold `threads` threads in every worker."""
        self._threads, self._lock = threads, threading.Lock()
        self._libraries = dict.fromkeys(BASE)
        self.generation = 0
        """Grows whenever libraries are loaded: workers of an earlier generation lack them."""
        self._is_closed = False
        self._start()

    def load(self, libraries: Iterable[str]) -> None:
        """Makes all workers that are forked from now on find these libraries loaded."""
        with self._lock:
            new = [name for name in libraries if name not in self._libraries]
            if new:
                self._libraries.update(dict.fromkeys(new))
                self._load(new)

    def fork(self, memory_bytes: int) -> Worker:
        """A new worker that may take so much memory beyond what it begins with.

        StudyError where no server stays alive; TrialError after `close`.
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

    def bury(self, pid: int) -> Death:
        """Kills a worker if it lives, and everything that it has started; waits until they are gone."""
        with self._lock:
            try:
                return Death(**self._asked({"bury": pid}))
            except OSError:  # the server is gone, and so is all below it
                return Death()

    def close(self) -> None:
        """Ends the server with everything below it, whatever it is doing."""
        self._is_closed = True
        self._socket.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for an answer
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
                start_new_session=True,  # Ctrl-C is for who started it
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
        with contextlib.suppress(OSError):  # where the server is gone, the next one loads them
            self._socket.send(json.dumps({"load": libraries}).encode())

    def _forked(self, memory_bytes: int) -> Worker:
        here, there = Pipe()
        with there:
            reply = self._asked({"fork": memory_bytes}, there.fileno())
        return Worker(int(reply["pid"]), here, self.generation)

    def _asked(self, request: Mapping[str, Any], *descriptors: int) -> dict[str, Any]:
        """The server's answer. OSError where it is no longer there."""
        socket.send_fds(self._socket, [json.dumps(request).encode()], descriptors)
        answer = self._socket.recv(MAX_MESSAGE)
        if not answer:
            raise ConnectionResetError("the server is gone")
        return dict(json.loads(answer))


def _plain_environment() -> dict[str, str]:
    """This process's environment without what tunes the allocator: the same trial costs the same wherever it runs.

    Dask's workers have memory given back at once (MALLOC_TRIM_THRESHOLD_), which made short trials cost 1.75 times.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}


def serve(descriptor: int) -> None:
    """What the server does until its socket is shut at the other end."""
    control = socket.socket(fileno=descriptor)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    root, workers = os.getppid(), set[int]()
    while True:
        if not select.select([control], [], [], TIDY_S)[0]:
            _reap_orphans(workers)
            if os.getppid() == root:
                continue
            break  # a copy of the other end of the socket has outlived its owner
        message, descriptors, _, _ = socket.recv_fds(control, MAX_MESSAGE, 1)
        if not message:
            break
        request = json.loads(message)
        if "load" in request:
            for name in request["load"]:
                with contextlib.suppress(Exception):  # the worker that needs it will say what is wrong
                    importlib.import_module(name)
            from cemai_opt.engines._child import warm_up

            warm_up()
            gc.collect()
            gc.freeze()  # a collection in a worker need not touch, and so copy, what all of them share
        elif "fork" in request:
            pid = os.fork()
            if pid == 0:
                control.close()
                _work(descriptors[0], request["fork"], root)
            os.close(descriptors[0])
            workers.add(pid)
            control.send(json.dumps({"pid": pid}).encode())
        else:
            control.send(json.dumps(_buried(request["bury"], workers)).encode())
    for pid in tuple(workers):
        _buried(pid, workers)
    os._exit(0)


def _work(descriptor: int, memory_bytes: int, root: int) -> None:
    """Becomes a worker; does not return."""
    server = os.getppid()
    try:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        _prctl(PR_SET_CHILD_SUBREAPER, 1)  # what it starts stays below it, and in its account
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
    """Lets this process take so much more memory than it has: its own, for mapped files and address space are free."""
    with open("/proc/self/statm", encoding="ascii") as stream:
        held = int(stream.read().split()[5]) * os.sysconf("SC_PAGE_SIZE")
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = held + memory_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def _buried(pid: int, workers: set[int]) -> dict[str, Any]:
    """Kills a worker, then what it has left to this process, and theirs, until nothing is left."""
    if pid not in workers:
        return {"status": 0, "cpu_s": 0.0}
    os.kill(pid, signal.SIGKILL)  # not yet reaped, so the number is still its own
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
    """Waits for children that have ended and are no workers; those are waited for when they are buried."""
    for child in _children():
        if child not in workers:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, os.WNOHANG)


def _children() -> list[int]:
    """Direct children of this process, which has one thread that starts any: proc(5)."""
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as stream:
        return [int(pid) for pid in stream.read().split()]


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
