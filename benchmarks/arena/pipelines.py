"""What the arms that run the product's pipelines share: the study, the grams spent, the test of a configuration."""

from __future__ import annotations

import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.arena.result import Member
from cemai_opt import compose
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.result import TrialResult
from cemai_opt.engines import ENGINES
from cemai_opt.meters import thread_power

RUL_METRICS = ("rmse", "rmse_last")


class OverBudgetError(BaseException):
    """The CPU seconds are used up; not an `Exception`, so that no library takes it for a failure of its own."""


class Bench:
    """A study with its data, in this process; grams are counted from the start of the process."""

    def __init__(self, study: Path, *, seed: int) -> None:
        spec = compose.load_study(str(study)).model_copy(update={"seed": seed})
        self.prepared = compose.prepare(spec, whole_process=True)
        self.study, self.space, self.data = self.prepared.study, self.prepared.space, self.prepared.data
        self._engine = ENGINES.require("in_process")()

    @property
    def spent_g(self) -> float:
        """Grams of this process until now."""
        return self.study.carbon.grams(self.drawn_j() - self.prepared.start_j)

    def drawn_j(self) -> float:
        """Sum of the meters, J."""
        return math.fsum(meter.peek_j() for meter in self.prepared.meters)

    def cpu_s(self, grams: float) -> float:
        """CPU seconds of one thread that emit this much."""
        return grams / self.study.carbon.grams(thread_power().watts)

    def run(self, config: Config, *, phase: str, number: int = 0) -> TrialResult:
        """The result of a configuration: `phase` is "search" or "final"."""
        stages = tuple(stage for stage in self.space.stages if stage != "explain")
        folds = self.study.split.folds if phase == "search" else 1
        plan = TrialPlan(trial=number, study=self.study, config=config, phase=phase, stages=stages, folds=folds)
        return self.run_plan(plan)

    def run_plan(self, plan: TrialPlan) -> TrialResult:
        """The result of a plan, in this process."""
        return self._engine.run(plan).result()

    def tested(self, config: Config, *, validation: float | None = None) -> Member | str:
        """A configuration trained on training and validation rows and scored on test rows; or why it failed."""
        result = self.run(config, phase="final")
        if not result.is_complete:
            return f"{config.model}: {result.reason}"
        return Member(
            model=config.model,
            config=config.mapping(),
            validation=validation,
            test=result.score,
            grams=self.study.carbon.grams(result.cost.energy_j),
            metrics=kept_metrics(result.metrics),
        )


def kept_metrics(metrics: Any) -> dict[str, float]:
    """The metrics of remaining useful life, where there are any."""
    return {name: metrics[name] for name in RUL_METRICS if name in metrics}


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Raises `OverBudgetError` inside the block once this process has used this many CPU seconds in it."""

    def end(number: int, frame: object) -> None:
        raise OverBudgetError

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, max(seconds, 1e-3))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)
