"""The main loop of a worker process, which runs the plans that it receives, one after the other."""

from __future__ import annotations

import json
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from cemai_opt.core.errors import CemaiError
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.serialization import from_json
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.engines._wire import fault_answer, result_answer
from cemai_opt.meters import METERS, ForeignLoad, own_descendants, thread_power, tree_cpu_s
from cemai_opt.models import MODELS
from cemai_opt.pipeline import Pipeline, build_pipeline
from cemai_opt.stages import STAGES


def warm_up() -> None:
    """Initialises before workers are forked what each of them would otherwise repeat, which takes 0.1 s."""
    thread_power()
    for registry in (METERS, MODELS, STAGES):
        registry.available()


def serve_plans(wire: Connection, root: int) -> None:
    """Answers each plan with its result until the other end is closed. `root` is the id of the main process."""
    worker = _PlanRunner(root)
    while True:
        try:
            request = json.loads(wire.recv_bytes())
        except (EOFError, OSError):
            return
        answer = worker.answer(request)
        wire.send_bytes(json.dumps({**answer, "has_children": bool(own_descendants())}).encode())


class _PlanRunner:
    """Runs plans, with the pipeline of the last study cached."""

    def __init__(self, root: int) -> None:
        self._load = ForeignLoad(own_clock=partial(tree_cpu_s, root))
        self._study: ResolvedStudy | None = None
        self._pipeline: Pipeline

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The result; an error that is not the trial's; or how the trial tried to end this process."""
        plan = from_json(TrialPlan, request["plan"])
        try:
            if plan.study != self._study:
                self._pipeline = build_pipeline(plan.study, Path(request["data"]), load=self._load)
                self._study = plan.study
            return result_answer(self._pipeline.run(plan))
        except CemaiError as error:
            return fault_answer(error)
        except (SystemExit, KeyboardInterrupt) as error:
            return {"left": f"the trial tried to end its process: {type(error).__name__} {error}".rstrip()}
        except MemoryError:
            return {"left": "there was not enough memory to run it (--trial-memory)"}
