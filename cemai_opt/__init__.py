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
    import warnings

    if name not in __all__:
        raise AttributeError(f"module 'cemai_opt' has no attribute {name!r}")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")  # Optuna's bar, which is not used here
        module = importlib.import_module("cemai_opt.estimators" if name.startswith("Pareto") else "cemai_opt.api")
    return getattr(module, name)
