"""Finds machine-learning pipelines that are good and cost little carbon.

>>> from cemai_opt import ParetoClassifier, ParetoRegressor, load_model, load_run, optimize
"""

import logging
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Front",
    "FrontMember",
    "ParetoClassifier",
    "ParetoRegressor",
    "Run",
    "TrainedModel",
    "load_model",
    "load_run",
    "optimize",
]

logging.getLogger(__name__).addHandler(logging.NullHandler())

if TYPE_CHECKING:
    from cemai_opt.api import Front, FrontMember, Run, TrainedModel, load_model, load_run, optimize
    from cemai_opt.estimators import ParetoClassifier, ParetoRegressor


def __getattr__(name: str) -> Any:
    """Imports a name of the Python API on first use, because the command line needs none of them."""
    import importlib

    if name in ("ParetoClassifier", "ParetoRegressor"):
        return getattr(importlib.import_module("cemai_opt.estimators"), name)
    if name in __all__:
        return getattr(importlib.import_module("cemai_opt.api"), name)
    raise AttributeError(f"module 'cemai_opt' has no attribute {name!r}")
