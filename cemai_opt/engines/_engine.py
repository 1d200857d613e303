"""The base of all engines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import Future
from pathlib import Path
from typing import final

from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.registry import Part
from cemai_opt.core.result import TrialResult
from cemai_opt.core.spec import StudySpec


class Engine(Part, ABC):
    """Runs plans somewhere. A part writes `_run`; `slots` is how many plans it runs at the same time."""

    slots: int = 1

    @classmethod
    def opened(cls, study: StudySpec, scratch: Path | None) -> Engine:
        """The engine for a settled study. `scratch` is a folder for what it may need, gone after the session."""
        return cls()

    @final
    def run(self, plan: TrialPlan) -> Future[TrialResult]:
        """Starts a plan. The future's exception is a fault of the engine or the meter, never of the trial."""
        return self._run(plan)

    def unseen_j(self) -> float:
        """Joules that this engine has spent, trials included, where no meter of the asking process sees them."""
        return 0.0

    def close(self) -> None:
        """Gives back what the engine holds."""
        return

    @abstractmethod
    def _run(self, plan: TrialPlan) -> Future[TrialResult]:
        """Starts a plan."""
