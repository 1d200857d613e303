"""An engine that starts plans only when a gate is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future

from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.result import TrialResult
from cemai_opt.engines import Engine


class GatedEngine(Engine):
    """Calls `wait`, which may block, before each plan of another engine; plans that are running go on meanwhile."""

    def __init__(self, engine: Engine, wait: Callable[[], None]) -> None:
        self._engine, self._wait = engine, wait
        self.slots = engine.slots

    def expect(self, models: Sequence[str]) -> None:
        """Passes it on."""
        self._engine.expect(models)

    def unseen_j(self) -> float:
        """That of the other engine."""
        return self._engine.unseen_j()

    def close(self) -> None:
        """Closes the other engine."""
        self._engine.close()

    def _run(self, plan: TrialPlan) -> Future[TrialResult]:
        self._wait()
        return self._engine.run(plan)
