"""Runs one pipeline, without a search."""

from __future__ import annotations

from cemai_opt.compose import PreparedStudy
from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.result import TrialResult
from cemai_opt.engines import ENGINES
from cemai_opt.stages import STAGES


def run_config(prepared: PreparedStudy, config: Config) -> TrialResult:
    """Runs one pipeline: trained on train + validation, scored on test, explained.

    Stages that a search space may skip run where the configuration names them; the pipeline is always explained.
    """
    stages = tuple(
        name
        for name in prepared.space.stages
        if name in config.stages or name == "explain" or not STAGES.find(name).is_optional
    )
    plan = TrialPlan(trial=0, study=prepared.study, config=config, phase="final", stages=stages, folds=1)
    engine = ENGINES.require(prepared.study.engine.name).opened(prepared.study, None)
    try:
        return engine.run(plan).result()
    finally:
        engine.close()
