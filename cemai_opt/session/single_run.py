"""Runs one pipeline or an average of several, without a search."""

from __future__ import annotations

from contextlib import closing

from cemai_opt.compose import PreparedStudy
from cemai_opt.core.average import AverageConfig
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.result import TrialResult
from cemai_opt.engines import ENGINES, Engine
from cemai_opt.pipeline.average import average_of
from cemai_opt.stages import STAGES


def run_config(prepared: PreparedStudy, config: Config) -> TrialResult:
    """Runs one pipeline: trained on train + validation, scored on test, explained.

    Stages that a search space may skip run where the configuration names them; the pipeline is always explained.
    """
    with closing(opened_engine(prepared)) as engine:
        return engine.run(final_plan(prepared, config)).result()


def run_average(prepared: PreparedStudy, average: AverageConfig) -> TrialResult:
    """Runs the pipelines of an average one after another, without explanations, and scores their average.

    If one of them fails, its result is returned.
    """
    results = []
    with closing(opened_engine(prepared)) as engine:
        for part in average.parts:
            results.append(engine.run(final_plan(prepared, part.config, is_part=True)).result())
            if not results[-1].is_complete:
                return results[-1]
    return average_of(results, average.weights, study=prepared.study, phase="final", threshold=average.threshold)


def opened_engine(prepared: PreparedStudy) -> Engine:
    """The engine of a study, to be closed by the caller."""
    return ENGINES.require(prepared.study.engine.name).opened(prepared.study, None)


def final_plan(prepared: PreparedStudy, config: Config, *, is_part: bool = False) -> TrialPlan:
    """The test of one pipeline; a part of an average keeps the rows that it was scored on."""
    stages = tuple(
        name
        for name in prepared.space.stages
        if (not is_part if name == "explain" else name in config.stages or not STAGES.find(name).is_optional)
    )
    return TrialPlan(
        trial=0, study=prepared.study, config=config, phase="final", stages=stages, folds=1, keeps_rows=is_part
    )
