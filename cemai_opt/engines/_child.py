"""What a worker does: runs the plans that it is sent, one after the other."""

from __future__ import annotations

import json
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from cemai_opt.core.errors import CemaiError
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.spec import StudySpec
from cemai_opt.meters import METERS, ForeignLoad, own_descendants, thread_power, tree_cpu_s
from cemai_opt.models import MODELS
from cemai_opt.pipeline import Pipeline, build_pipeline
from cemai_opt.stages import STAGES


def warm_up() -> None:
    """Does once, before workers are forked, what each of them would else do anew: a tenth of a second."""
    thread_power()
    for registry in (METERS, MODELS, STAGES):
        registry.available()


def serve_plans(wire: Connection, root: int) -> None:
    """Answers each plan with its result, until the other end is shut. `root` is the process that all of it is for."""
    worker = _Worker(root)
    while True:
        try:
            request = json.loads(wire.recv_bytes())
        except (EOFError, OSError):
            return
        answer = worker.answer(request)
        wire.send_bytes(json.dumps({**answer, "has_children": bool(own_descendants())}).encode())


class _Worker:
    """Keeps the pipeline of the last study."""

    def __init__(self, root: int) -> None:
        self._load = ForeignLoad(own_clock=partial(tree_cpu_s, root))
        self._study: StudySpec | None = None
        self._pipeline: Pipeline

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The result; the fault that is not the trial's; or how the trial tried to leave this process."""
        plan = TrialPlan.from_json(request["plan"])
        try:
            if plan.study != self._study:
                self._pipeline = build_pipeline(plan.study, Path(request["data"]), self._load)
                self._study = plan.study
            return {"result": self._pipeline.run(plan).to_json()}
        except CemaiError as error:
            return {"fault": type(error).__name__, "message": error.message, "hint": error.hint}
        except (SystemExit, KeyboardInterrupt) as error:
            return {"left": f"the trial tried to end its process: {type(error).__name__} {error}".rstrip()}
        except MemoryError:
            return {"left": "there was not enough memory to run it (--trial-memory)"}
