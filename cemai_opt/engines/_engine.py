"""The base of all engines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import ClassVar, final

from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.registry import Part
from cemai_opt.core.result import TrialResult
from cemai_opt.core.study import ResolvedStudy


class Engine(Part, ABC):
    """Runs plans. Subclasses implement `_run`; `slots` is the number of plans that run at the same time."""

    slots: int = 1
    needs_linux: ClassVar[bool] = False
    """Whether it forks and supervises processes by what only Linux offers."""

    @classmethod
    def opened(cls, study: ResolvedStudy, scratch: Path | None) -> Engine:
        """The engine for a resolved study. `scratch` is a folder for temporary files, removed after the session."""
        return cls()

    @final
    def run(self, plan: TrialPlan) -> Future[TrialResult]:
        """Starts a plan. An exception of the future is an error of the engine or the meter, never of the trial."""
        return self._run(plan)

    def expect(self, models: Sequence[str]) -> None:
        """Models that trials will soon train: an engine may load all of their libraries at once."""
        return

    def unseen_j(self) -> float:
        """Joules that this engine has spent, trials included, and that the meters of this process do not measure."""
        return 0.0

    def close(self) -> None:
        """Releases the resources of the engine."""
        return

    @abstractmethod
    def _run(self, plan: TrialPlan) -> Future[TrialResult]:
        """Starts a plan."""
