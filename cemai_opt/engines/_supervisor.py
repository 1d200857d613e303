"""Runs plans in a child process that may crash, hang or run out of memory, and returns a result in any case."""

from __future__ import annotations

import json
import logging
import math
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cemai_opt.core.measurement import OVERHEAD, Cost, Measurement
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import FAILED, PRUNED, TrialResult
from cemai_opt.core.serialization import to_json
from cemai_opt.engines._fork_server import ExitStatus, ForkedWorker, ForkServer
from cemai_opt.engines._wire import result_in
from cemai_opt.meters import Meter, anonymous_bytes, open_meters, process_tree_cpu_s, tree_cpu_s
from cemai_opt.models import MODELS
from cemai_opt.stages import STAGES

log = logging.getLogger(__name__)

GRACE_S = 10.0
"""A trial that is still running this long after the time limit of the search is killed."""
GRACE_FACTOR, GRACE_J = 2.0, 4.0
"""A trial that has spent this many times its cap, and this many joules more, is killed: between two of the moments at
which it compares itself with its cap, a fit may take many times as much."""
METER_S = 1.0
"""Interval at which the joules of a running trial are read."""
LOOK_S = 0.1
"""Interval at which the memory of a running trial is checked."""
WORN_SHARE = 0.5
"""A worker that still holds this share of a trial's memory after a trial is replaced by a new one."""


class WorkerSupervisor:
    """One worker at a time, whose trials are limited to `memory_bytes` each and to the time limits of their study.

    `data` is the folder of the stored data set. Not thread-safe.
    """

    def __init__(self, server: ForkServer, data: Path, *, memory_bytes: int) -> None:
        self._server, self._data, self._memory_bytes = server, data, memory_bytes
        self._worker: ForkedWorker | None = None
        self._meters: Sequence[Meter] = ()
        self._fresh_bytes = 0

    def run(self, plan: TrialPlan, is_wanted: Callable[[], bool] = lambda: True) -> TrialResult:
        """The result of a plan, even if its process crashes or is killed; it is killed when no longer wanted.

        CemaiError if no trial can run at all, because the data is missing or nothing can be measured.
        """
        self._server.load(_libraries(plan))
        worker = self._ready_worker()
        self._meters = self._meters or _meters_of(plan)
        probe = _UsageProbe(plan, worker.pid, meters=self._meters)
        held = anonymous_bytes(worker.pid)
        try:
            worker.wire.send_bytes(json.dumps({"plan": to_json(plan), "data": str(self._data)}).encode())
            while not worker.wire.poll(LOOK_S):
                reason = self._why_kill(plan, probe, held_bytes=anonymous_bytes(worker.pid) - held)
                if reason is None and not is_wanted():
                    reason = FAILED, "its result is no longer needed"
                if reason is not None:
                    return probe.result(self._retire(), state=reason[0], reason=reason[1])
            answer = json.loads(worker.wire.recv_bytes())
        except (EOFError, OSError, ValueError):  # it died before its answer was complete
            exit_status = self._retire()
            log.info("trial %d: %s", plan.trial, exit_status.reason)
            return probe.result(exit_status, state=FAILED, reason=exit_status.reason)
        return self._taken(answer, probe)

    def close(self) -> None:
        """Ends the worker, if there is one."""
        if self._worker is not None:
            self._retire()

    def _taken(self, answer: dict[str, Any], probe: _UsageProbe) -> TrialResult:
        """The result in a worker's answer; the worker is ended if it holds too much memory or has child processes."""
        if "left" in answer:
            return probe.result(self._retire(), state=FAILED, reason=answer["left"])
        assert self._worker is not None, "it has just answered"
        held = anonymous_bytes(self._worker.pid) - self._fresh_bytes
        if answer["has_children"] or held > WORN_SHARE * self._memory_bytes:
            self._retire()
        return result_in(answer)

    def _ready_worker(self) -> ForkedWorker:
        """The worker, or a new one if there is none, or if it lacks libraries."""
        if self._worker is not None and self._worker.generation != self._server.generation:
            self._retire()
        if self._worker is None:
            self._worker = self._server.fork(self._memory_bytes)
            self._fresh_bytes = anonymous_bytes(self._worker.pid)
        return self._worker

    def _retire(self) -> ExitStatus:
        """Kills the worker and all its descendants."""
        assert self._worker is not None, "only a worker can be retired"
        worker, self._worker = self._worker, None
        worker.wire.close()
        return self._server.reap(worker.pid)

    def _why_kill(self, plan: TrialPlan, probe: _UsageProbe, *, held_bytes: int) -> tuple[str, str] | None:
        """The state and the reason of a trial that has to be killed now; None if it may go on."""
        elapsed_s = probe.elapsed_s()
        if held_bytes > self._memory_bytes:
            return FAILED, f"it took more than {self._memory_bytes / 1e6:.0f} MB of memory (--trial-memory)"
        timeout_s = plan.study.engine.trial_timeout_s
        if timeout_s is not None and elapsed_s > timeout_s:
            return FAILED, f"it ran longer than {timeout_s:g} s (--trial-timeout)"
        if plan.bounds is None:
            return None
        if elapsed_s > plan.bounds.spend_s + GRACE_S:
            return PRUNED, "the time is over, and it did not end by itself"
        spent_j = probe.spent_j()
        if spent_j > plan.bounds.spend_j:
            return PRUNED, "the budget of grams is used up, and it did not end by itself"
        if spent_j > GRACE_FACTOR * plan.bounds.cap_j + GRACE_J:
            return PRUNED, f"costs far more than {plan.bounds.cap_j:.3g} J, the cap for now, and did not end by itself"
        return None


class _UsageProbe:
    """Measures the usage of a trial from outside its process, for trials that end without a result."""

    def __init__(self, plan: TrialPlan, pid: int, *, meters: Sequence[Meter]) -> None:
        self._plan, self._worker_cpu_s, self._meters = plan, tree_cpu_s(pid), meters
        self._start_s, self._cpu_s = time.monotonic(), process_tree_cpu_s()
        self._joules = [meter.peek_j() for meter in self._meters]
        self._pid, self._spent_j, self._read_s = pid, 0.0, self._start_s

    def elapsed_s(self) -> float:
        """Seconds since the trial began."""
        return time.monotonic() - self._start_s

    def spent_j(self) -> float:
        """Joules of the trial, at most `METER_S` ago."""
        if time.monotonic() - self._read_s >= METER_S:
            self._read_s = time.monotonic()
            share = self._share(tree_cpu_s(self._pid) - self._worker_cpu_s)
            self._spent_j = share * math.fsum(self._drawn_j())
        return self._spent_j

    def _share(self, cpu_s: float) -> float:
        """The share of the trial, which used this many CPU seconds, in those of this process and its descendants."""
        all_cpu_s = process_tree_cpu_s() - self._cpu_s
        return min(1.0, max(0.0, cpu_s) / all_cpu_s) if all_cpu_s > 0 else 0.0

    def _drawn_j(self) -> list[float]:
        """Joules of each meter since the trial began."""
        return [meter.peek_j() - start_j for meter, start_j in zip(self._meters, self._joules, strict=True)]

    def result(self, exit_status: ExitStatus, *, state: str, reason: str) -> TrialResult:
        """The result of a trial that was killed or has died: its share, by CPU time, of the energy measured here."""
        cpu_s = max(0.0, exit_status.cpu_s - self._worker_cpu_s)
        share, drawn = self._share(cpu_s), self._drawn_j()
        row = Measurement(
            stage=OVERHEAD,
            duration_s=self.elapsed_s(),
            cpu_s=cpu_s,
            energy_j={meter.device: share * energy_j for meter, energy_j in zip(self._meters, drawn, strict=True)},
            uncertainty_j=math.hypot(
                *(m.uncertainty_j(share * energy_j) for m, energy_j in zip(self._meters, drawn, strict=True))
            ),
            source="; ".join(meter.source for meter in self._meters) + "; a share by CPU time, because it was killed",
        )
        spent = Cost((row,))
        return TrialResult(
            trial=self._plan.trial,
            state=state,
            config=self._plan.config,
            cost=spent,
            spent=spent,
            reason=reason,
            host=platform.node(),
        )


def _meters_of(plan: TrialPlan) -> Sequence[Meter]:
    return open_meters(plan.study.carbon.meter, plan.study.device, threads=plan.study.threads)


def _libraries(plan: TrialPlan) -> list[str]:
    """The libraries that the stages of a plan and its model load."""
    model = plan.config.model
    own = [name for stage in plan.stages for name in STAGES.find(stage).libraries(model, plan.config.params(stage))]
    return [*MODELS.find(model).requires, *own]
