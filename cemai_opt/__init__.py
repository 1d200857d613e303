"""Finds machine-learning pipelines that are good and cost little carbon.

>>> from cemai_opt import ParetoClassifier, ParetoRegressor, load_model, load_run, optimize
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Front", "ParetoClassifier", "ParetoRegressor", "Run", "TrainedModel", "load_model", "load_run", "optimize"]

if TYPE_CHECKING:
    from cemai_opt.api import Front, Run, TrainedModel, load_model, load_run, optimize
    from cemai_opt.estimators import ParetoClassifier, ParetoRegressor


def __getattr__(name: str) -> Any:
    """Imports a part of the Python interface when it is asked for: the command line wants none of it."""
    import importlib

    if name in ("ParetoClassifier", "ParetoRegressor"):
        return getattr(importlib.import_module("cemai_opt.estimators"), name)
    if name in __all__:
        return getattr(importlib.import_module("cemai_opt.api"), name)
    raise AttributeError(f"module 'cemai_opt' has no attribute {name!r}")
