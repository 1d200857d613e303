"""How fast a thread of this machine is: CPU seconds of a fixed piece of work."""

from __future__ import annotations

import time

import numpy as np

from cemai_opt.core.batch import FloatArray

REPEATS, SIZE = 3, 50_000


def work_s() -> float:
    """CPU seconds of a fixed piece of work, a loop in Python and some NumPy: the fastest of three.

    It tells how fast the machine is now: a virtual one may change between two speeds within seconds
    (docs/decisions/forecast.md).
    """
    values = np.sin(np.arange(float(SIZE)))
    return min(_once_s(values) for _ in range(REPEATS))


def _once_s(values: FloatArray) -> float:
    begun_s = time.thread_time()
    sum(i * i % 7 for i in range(SIZE))
    np.sort(values)
    np.log(np.cumsum(np.exp(values)))
    return time.thread_time() - begun_s
