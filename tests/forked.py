"""Runs the command line in forks of a process that has loaded its libraries, which each of hundreds of runs would load.

    python -m tests.forked

reads requests from its input, one line of JSON each: arguments, folder, environment, and the files that output and
errors go to. It answers each with the process number of a fork that runs `python -m cemai_opt` there, and with its exit
status. A fork shares nothing but imported modules: it has its own arguments, folder, environment and exit.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parent.parent
LIBRARIES = (
    *("numpy", "pandas", "pyarrow.csv", "pyarrow.parquet", "optuna", "yaml", "rich.console", "psutil"),
    *("sklearn.ensemble", "sklearn.linear_model", "sklearn.preprocessing", "lightgbm", "xgboost"),
    *("cemai_opt.cli", "cemai_opt.session", "cemai_opt.deploy", "cemai_opt.report"),
)
TIMEOUT_S = 300.0


class Forks:
    """The process that forks; it ends with the process that made it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def run(
        self, arguments: list[str], *, folder: Path, environment: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """What `python -m cemai_opt` with these arguments leaves. TimeoutExpired after five minutes."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.TemporaryDirectory() as name:
            out, err = Path(name) / "out", Path(name) / "err"
            request = {
                "arguments": arguments,
                "folder": str(folder),
                "environment": environment,
                "out": str(out),
                "err": str(err),
            }
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            pid = int(self._process.stdout.readline())
            timer = threading.Timer(TIMEOUT_S, os.kill, (pid, signal.SIGKILL))
            timer.start()
            status = int(self._process.stdout.readline())
            timer.cancel()
            if timer.finished.is_set() and status == -signal.SIGKILL:
                raise subprocess.TimeoutExpired(arguments, TIMEOUT_S)
            return subprocess.CompletedProcess(arguments, status, out.read_text(), err.read_text())

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)


def main() -> None:
    """Answers requests until the input ends; in a fork, runs the command line and ends as it ends."""
    for library in LIBRARIES:
        with contextlib.suppress(ImportError):  # it is optional
            importlib.import_module(library)
    gc.collect()
    gc.freeze()  # pages that are not written stay shared
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _become(**json.loads(line))
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(arguments: list[str], *, folder: str, environment: dict[str, str], out: str, err: str) -> NoReturn:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for path, number in ((os.devnull, 0), (out, 1), (err, 2)):
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(file, number)
        os.close(file)
    sys.argv = ["cemai_opt", *arguments]
    sys.path[0] = folder  # as Python does with -m
    status: object = 0
    try:
        runpy.run_module("cemai_opt", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()  # what Python does at its end, but for the modules, which takes a second
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else 1)


if __name__ == "__main__":
    main()
