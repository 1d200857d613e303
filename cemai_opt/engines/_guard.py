"""Runs plans in a child process that may crash, hang or eat memory, and answers for it all the same."""

from __future__ import annotations

import json
import math
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cemai_opt.core import errors
from cemai_opt.core.measurement import OVERHEAD, Cost, Measurement
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import FAILED, PRUNED, TrialResult
from cemai_opt.engines._fork_server import Death, ForkServer, Worker
from cemai_opt.meters import Meter, anonymous_bytes, open_meters, process_tree_cpu_s, tree_cpu_s
from cemai_opt.models import MODELS
from cemai_opt.stages import STAGES

GRACE_S = 10.0
"""A trial that does not end itself so long after the time of the search is over is killed."""
LOOK_S = 0.1
"""So often the memory of a running trial is looked at."""
WORN_SHARE = 0.5
"""A worker that holds this share of a trial's memory after a trial makes room for a fresh one."""


class Guard:
    """One worker at a time, whose trials may take `memory_bytes` each, and the time that their study says.

    `data` is the folder of the stored data set. Not to be used by two threads at the same time.
    """

    def __init__(self, server: ForkServer, data: Path, memory_bytes: int) -> None:
        self._server, self._data, self._memory_bytes = server, data, memory_bytes
        self._worker: Worker | None = None
        self._fresh_bytes = 0

    def run(self, plan: TrialPlan, is_wanted: Callable[[], bool] = lambda: True) -> TrialResult:
        """The result of a plan, whatever becomes of the process that runs it; it is killed when no longer wanted.

        CemaiError where no trial can be run: the data is gone, or nothing can be measured.
        """
        self._server.load(_libraries(plan))
        worker = self._ready_worker()
        watch = _Watch(plan, worker.pid)
        held = anonymous_bytes(worker.pid)
        try:
            worker.wire.send_bytes(json.dumps({"plan": plan.to_json(), "data": str(self._data)}).encode())
            while not worker.wire.poll(LOOK_S):
                reason = self._why_kill(plan, watch.elapsed_s(), anonymous_bytes(worker.pid) - held)
                if reason is None and not is_wanted():
                    reason = FAILED, "nobody waits for it any more"
                if reason is not None:
                    return watch.result(self._retire(), *reason)
            answer = json.loads(worker.wire.recv_bytes())
        except (EOFError, OSError, ValueError):  # it died before the answer was whole
            death = self._retire()
            return watch.result(death, FAILED, death.reason)
        return self._taken(answer, watch)

    def close(self) -> None:
        """Ends the worker, if there is one."""
        if self._worker is not None:
            self._retire()

    def _taken(self, answer: dict[str, Any], watch: _Watch) -> TrialResult:
        """The result in a worker's answer; the worker goes if it is worn, or if the trial has left something behind."""
        if "left" in answer:
            return watch.result(self._retire(), FAILED, answer["left"])
        assert self._worker is not None, "it has just answered"
        held = anonymous_bytes(self._worker.pid) - self._fresh_bytes
        if answer["has_children"] or held > WORN_SHARE * self._memory_bytes:
            self._retire()
        if "fault" in answer:
            raise getattr(errors, answer["fault"])(answer["message"], answer["hint"])
        return TrialResult.from_json(answer["result"])

    def _ready_worker(self) -> Worker:
        """The worker, or a fresh one where there is none, or none with all the libraries."""
        if self._worker is not None and self._worker.generation != self._server.generation:
            self._retire()
        if self._worker is None:
            self._worker = self._server.fork(self._memory_bytes)
            self._fresh_bytes = anonymous_bytes(self._worker.pid)
        return self._worker

    def _retire(self) -> Death:
        """Kills the worker with everything that it has started."""
        assert self._worker is not None, "only a worker can be retired"
        worker, self._worker = self._worker, None
        worker.wire.close()
        return self._server.bury(worker.pid)

    def _why_kill(self, plan: TrialPlan, elapsed_s: float, held_bytes: int) -> tuple[str, str] | None:
        """The state and the reason of a trial that has to be killed now; None: let it run."""
        if held_bytes > self._memory_bytes:
            return FAILED, f"it took more than {self._memory_bytes / 1e6:.0f} MB of memory (--trial-memory)"
        timeout_s = plan.study.engine.trial_timeout_s
        if timeout_s is not None and elapsed_s > timeout_s:
            return FAILED, f"it ran longer than {timeout_s:g} s (--trial-timeout)"
        if plan.limits is not None and elapsed_s > plan.limits.spend_s + GRACE_S:
            return PRUNED, "the time is over, and it did not end by itself"
        return None


class _Watch:
    """What a trial takes, as seen from outside; for those that cannot say it themselves any more."""

    def __init__(self, plan: TrialPlan, pid: int) -> None:
        self._plan, self._worker_cpu_s = plan, tree_cpu_s(pid)
        study = plan.study
        self._meters: Sequence[Meter] = open_meters(study.carbon.meter, study.device, study.threads)
        self._start_s, self._cpu_s = time.monotonic(), process_tree_cpu_s()
        self._joules = [meter.peek_j() for meter in self._meters]

    def elapsed_s(self) -> float:
        """Seconds since the trial began."""
        return time.monotonic() - self._start_s

    def result(self, death: Death, state: str, reason: str) -> TrialResult:
        """The result of a trial that was killed or that has died: its share, by CPU time, of what was drawn here."""
        cpu_s = max(0.0, death.cpu_s - self._worker_cpu_s)
        all_cpu_s = process_tree_cpu_s() - self._cpu_s
        share = min(1.0, cpu_s / all_cpu_s) if all_cpu_s > 0 else 0.0
        drawn = [meter.peek_j() - start_j for meter, start_j in zip(self._meters, self._joules, strict=True)]
        row = Measurement(
            OVERHEAD,
            self.elapsed_s(),
            cpu_s,
            {meter.device: share * energy_j for meter, energy_j in zip(self._meters, drawn, strict=True)},
            math.hypot(*(m.uncertainty_j(share * energy_j) for m, energy_j in zip(self._meters, drawn, strict=True))),
            "; ".join(meter.source for meter in self._meters) + "; a share by CPU time, for it was killed",
        )
        spent = Cost((row,))
        config, host = self._plan.config, platform.node()
        return TrialResult(self._plan.trial, state, config, spent, spent, reason=reason, host=host)


def _libraries(plan: TrialPlan) -> list[str]:
    """What the stages of a plan, and its model, import."""
    own = [name for stage in plan.stages for name in STAGES.find(stage).requires]
    return [*MODELS.find(plan.config.model).requires, *own]
