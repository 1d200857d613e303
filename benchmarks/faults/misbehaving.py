"""A model that does to its process what a faulty library can do; copied into `cemai_opt/models` to test engines."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, Prediction
from cemai_opt.core.hyperparameters import Hyperparameter, choice, integer
from cemai_opt.models import Model

FAULTS = (
    "none",
    "segfault",
    "exit",
    "leave",
    "hang",
    "raise",
    "nan",
    "eat",
    "children",
    "orphans",
    "kill",
    "disk",
    "slow",
)
FILE_VARIABLE = "MISBEHAVING_FILE"
"""Environment variable: the file that the faults "disk" and "slow" write."""
CHILD = "misbehaving-child"
"""Last argument of every child process that this model starts, so that survivors can be found."""


class Misbehaving(Model):
    """Predicts the mean of the target, after a fault."""

    cost_rank = 1

    @classmethod
    def hyperparameters(cls, task: str) -> tuple[Hyperparameter, ...]:
        """The fault, how long training takes before it, and a number that tells otherwise equal trials apart."""
        return (
            choice("fault", FAULTS, default="none"),
            integer("milliseconds", 0, high=10_000, default=0),
            integer("variant", 0, high=100_000, default=0),
        )

    def _fit(self, X: FloatArray, y: FloatArray, *, group: IntArray) -> None:
        self._mean = float(y.mean())
        if len(y) == 64:
            return  # the warm-up
        time.sleep(float(self.params["milliseconds"]) / 1000.0)
        fault = str(self.params["fault"])
        if fault != "none":
            getattr(self, f"_{fault}")()

    def _predict(self, X: FloatArray) -> Prediction:
        # not quite constant, so that trials differ in score
        return Prediction(np.full(len(X), self._mean) + 1e-3 * float(self.params["variant"]) * X[:, -1, 0])

    def _segfault(self) -> None:
        ctypes.string_at(0)

    def _exit(self) -> None:
        os._exit(3)

    def _leave(self) -> None:
        sys.exit("goodbye")

    def _hang(self) -> None:
        """Sleeps in native code with the GIL held and every signal blocked that can be blocked."""
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
        ctypes.PyDLL(None).sleep(1000)

    def _raise(self) -> None:
        raise ValueError("no")

    def _nan(self) -> None:
        self._mean = float("nan")

    def _eat(self) -> None:
        """Allocates memory without end."""
        held = []
        while True:
            held.append(np.ones(10**6))

    def _children(self) -> None:
        """Starts a child in a session of its own that ignores SIGTERM; the trial goes on without waiting for it."""
        command = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)"
        subprocess.Popen([sys.executable, "-c", command, CHILD], start_new_session=True)

    def _orphans(self) -> None:
        """Forks twice, so that the grandchild has no parent any more, and exits."""
        if os.fork() == 0:
            self._children()
            os._exit(0)
        time.sleep(0.2)
        os._exit(4)

    def _kill(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def _slow(self) -> None:
        """Writes its process number into the file, then takes three seconds."""
        with open(os.environ[FILE_VARIABLE], "w", encoding="utf-8") as stream:
            stream.write(str(os.getpid()))
        time.sleep(3.0)

    def _disk(self) -> None:
        """Writes until the disk is full."""
        with open(os.environ[FILE_VARIABLE], "wb") as stream:
            while True:
                stream.write(bytes(10**6))
