"""One session of a run, and the run of one pipeline or average."""

from cemai_opt.session.session import Session, forecast_of
from cemai_opt.session.single_run import run_average, run_config

__all__ = ["Session", "forecast_of", "run_average", "run_config"]
