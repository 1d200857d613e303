"""A model that does to its process what bad libraries do: to be dropped into `cemai_opt/models`."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, Prediction
from cemai_opt.core.genes import Gene, choice, integer
from cemai_opt.models import Model

DEEDS = (
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


class Naughty(Model):
    """The mean of the target, after a deed."""

    cost_rank = 1

    @classmethod
    def genes(cls, task: str) -> tuple[Gene, ...]:
        """The deed, for how long, and which of many trials alike."""
        return (
            choice("deed", DEEDS, "none"),
            integer("milliseconds", 0, 10_000, 0),
            integer("variant", 0, 100_000, 0),
        )

    def _fit(self, X: FloatArray, y: FloatArray, group: IntArray) -> None:
        self._mean = float(y.mean())
        if len(y) == 64:
            return  # the warm-up
        time.sleep(float(self.params["milliseconds"]) / 1000.0)
        deed = str(self.params["deed"])
        if deed != "none":
            getattr(self, f"_{deed}")()

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
        """In native code, holding the interpreter's lock, deaf to every signal that can be blocked."""
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
        ctypes.PyDLL(None).sleep(1000)

    def _raise(self) -> None:
        raise ValueError("no")

    def _nan(self) -> None:
        self._mean = float("nan")

    def _eat(self) -> None:
        held = []
        while True:
            held.append(np.ones(10**6))

    def _children(self) -> None:
        """Children in a session of their own that ignore polite signals; the trial goes on without them."""
        command = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)"
        subprocess.Popen([sys.executable, "-c", command, "naughty-child"], start_new_session=True)

    def _orphans(self) -> None:
        """Forks twice, so that the grandchild belongs to nobody, and exits."""
        if os.fork() == 0:
            self._children()
            os._exit(0)
        time.sleep(0.2)
        os._exit(4)

    def _kill(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def _slow(self) -> None:
        """Says that it has begun, and takes three seconds."""
        with open(os.environ["NAUGHTY_FILE"], "w", encoding="utf-8") as stream:
            stream.write(str(os.getpid()))
        time.sleep(3.0)

    def _disk(self) -> None:
        """Writes until nothing more can be written."""
        with open(os.environ["NAUGHTY_FILE"], "wb") as stream:
            while True:
                stream.write(bytes(10**6))
