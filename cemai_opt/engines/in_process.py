"""Runs trials one after the other in the calling process."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import TrialResult
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.engines._cores import check_cores
from cemai_opt.engines._engine import Engine
from cemai_opt.pipeline import Pipeline, build_pipeline


class InProcess(Engine):
    """One trial at a time in this process: simple, and easy to debug."""

    def __init__(self) -> None:
        self._study: ResolvedStudy | None = None
        self._pipeline: Pipeline | None = None

    @classmethod
    def opened(cls, study: ResolvedStudy, scratch: Path | None) -> InProcess:
        """The engine. StudyError if the study has more threads than there are cores."""
        check_cores(study)
        return cls()

    def _run(self, plan: TrialPlan) -> Future[TrialResult]:
        if self._pipeline is None or plan.study != self._study:
            self._study, self._pipeline = plan.study, build_pipeline(plan.study)
        done: Future[TrialResult] = Future()
        done.set_result(self._pipeline.run(plan))
        return done
