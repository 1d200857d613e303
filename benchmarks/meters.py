"""Compares this product's meters with CodeCarbon on the same work: `python -m benchmarks.meters [WORK ...]`.

Takes about six minutes. Each row is one kind of work, measured several times by each meter in turn, alone and beside a
busy process of someone else. Columns: mean joules alone, coefficient of variation alone, joules beside the busy process
relative to joules alone (per CPU second of the work, because work on a shared core does take more CPU time), and the
wall time of opening and closing a measurement window.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from cemai_opt.meters import open_meters, process_tree_cpu_s

CHILD = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
NEIGHBOUR = "while True: pass"


def burn(seconds: float) -> None:
    """Uses this many CPU seconds in this thread."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def eight_threads() -> None:
    """Eight threads that hash large blocks for 50 ms each, with the GIL released."""
    import hashlib

    block = bytes(2**22)

    def work() -> None:
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            hashlib.sha256(block).digest()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


WORK: dict[str, tuple[Callable[[], object], int]] = {
    "busy 1 ms": (lambda: burn(0.001), 40),
    "busy 10 ms": (lambda: burn(0.01), 30),
    "busy 100 ms": (lambda: burn(0.1), 10),
    "busy 1 s": (lambda: burn(1.0), 5),
    "busy 10 s": (lambda: burn(10.0), 2),
    "asleep 10 s": (lambda: time.sleep(10.0), 2),
    "child 300 ms": (lambda: subprocess.run([sys.executable, "-c", CHILD], check=True), 5),
    "8 threads": (eight_threads, 5),
}


class Gauge(Protocol):
    """A meter that measures one window at a time."""

    def begin(self) -> None:
        """Opens a window."""

    def end(self) -> float:
        """Closes the window and returns its joules."""


class Ours:
    """This product's meters, used as in a trial."""

    def __init__(self) -> None:
        self._meters = open_meters()

    def begin(self) -> None:
        """Opens a window."""
        for meter in self._meters:
            meter.begin_run()
        self._start_j = sum(meter.read_j() for meter in self._meters)

    def end(self) -> float:
        """Closes the window and returns its joules."""
        return sum(meter.read_j() for meter in self._meters) - self._start_j


class CodeCarbon:
    """CodeCarbon's tasks, one per window, as one would track the stages of a pipeline."""

    def __init__(self, mode: str) -> None:
        import logging

        from codecarbon import OfflineEmissionsTracker

        logging.disable(logging.CRITICAL)
        self._tracker: Any = OfflineEmissionsTracker(
            country_iso_code="USA",
            tracking_mode=mode,
            save_to_file=False,
            allow_multiple_runs=True,
            log_level="critical",
        )
        self._count = 0

    def begin(self) -> None:
        """Opens a window."""
        self._count += 1
        self._tracker.start_task(f"task {self._count}")

    def end(self) -> float:
        """Closes the window and returns its joules."""
        return float(self._tracker.stop_task(f"task {self._count}").energy_consumed) * 3.6e6


@dataclass(frozen=True)
class Row:
    """What one meter reports for one kind of work."""

    mean_j: float
    variation: float
    j_per_cpu_s: float
    window_us: float


def measured(gauge: Gauge, work: Callable[[], object], *, n: int) -> Row:
    """Statistics of `n` windows around the same work."""
    joules, cpu_s, window_s = [], [], []
    for _ in range(n):
        moments = [time.perf_counter()]
        gauge.begin()
        moments.append(time.perf_counter())
        start = process_tree_cpu_s()
        work()
        cpu_s.append(process_tree_cpu_s() - start)
        moments.append(time.perf_counter())
        joules.append(gauge.end())
        moments.append(time.perf_counter())
        window_s.append(moments[1] - moments[0] + moments[3] - moments[2])
    mean_j = statistics.fmean(joules)
    variation = statistics.stdev(joules) / mean_j if mean_j > 0 else float("nan")
    return Row(mean_j, variation, mean_j / statistics.fmean(cpu_s), statistics.median(window_s) * 1e6)


@contextmanager
def neighbour() -> Iterator[None]:
    """A busy process that is no descendant of this one: the shell that starts it ends at once."""
    command = f"{sys.executable} -c '{NEIGHBOUR}' >/dev/null 2>&1 & echo $!"
    pid = int(subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)


def main() -> None:
    """Prints the table, for all kinds of work or the named ones."""
    kinds = sys.argv[1:] or list(WORK)
    gauges: dict[str, Gauge] = {
        "cemai_opt": Ours(),
        "CodeCarbon machine": CodeCarbon("machine"),
        "CodeCarbon process": CodeCarbon("process"),
    }
    for gauge in gauges.values():  # the first window includes start-up costs
        measured(gauge, lambda: burn(0.01), n=2)
    print(f"{'work':13s} {'meter':19s} {'mean J':>9s} {'variation':>9s} {'beside/alone':>12s} {'window us':>9s}")
    alone = {(w, g): measured(gauge, WORK[w][0], n=WORK[w][1]) for w in kinds for g, gauge in gauges.items()}
    with neighbour():
        beside = {(w, g): measured(gauge, WORK[w][0], n=WORK[w][1]) for w in kinds for g, gauge in gauges.items()}
    for (w, g), row in alone.items():
        ratio = beside[w, g].j_per_cpu_s / row.j_per_cpu_s if row.j_per_cpu_s > 0 else float("nan")
        print(f"{w:13s} {g:19s} {row.mean_j:9.4f} {row.variation:9.1%} {ratio:12.2f} {row.window_us:9.0f}", flush=True)


if __name__ == "__main__":
    main()
