"""One session of a run, and runs of given pipelines without a search."""

from cemai_opt.session.measuring import measured_pipelines, table_configs
from cemai_opt.session.session import Session, forecast_of
from cemai_opt.session.single_run import final_plan, run_average, run_config

__all__ = [
    "Session",
    "final_plan",
    "forecast_of",
    "measured_pipelines",
    "run_average",
    "run_config",
    "table_configs",
]
