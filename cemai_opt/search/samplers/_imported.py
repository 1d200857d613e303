"""Any sampler of Optuna's, or of a library that follows it, by its dotted name."""

from __future__ import annotations

import importlib
import inspect

from optuna.samplers import BaseSampler

from cemai_opt.core.errors import StudyError
from cemai_opt.core.space import SearchSpace
from cemai_opt.search.samplers._sampler import Budget, Sampler


class ImportedSampler(Sampler):
    """`optuna.samplers.CmaEsSampler`, say: made with our seed where its constructor takes one."""

    def __init__(self, dotted: str) -> None:
        self._kind = _class_at(dotted)

    def _build(self, space: SearchSpace, budget: Budget) -> BaseSampler:
        takes_seed = "seed" in inspect.signature(self._kind).parameters
        try:
            return self._kind(**({"seed": budget.session_seed} if takes_seed else {}))
        except (TypeError, ValueError, ImportError) as error:
            raise StudyError(f"--sampler {self._kind.__name__}: {error}", "it needs more than a seed") from error


def _class_at(dotted: str) -> type[BaseSampler]:
    """The class that a dotted name means. StudyError where there is none, or it is no sampler."""
    module, _, name = dotted.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise StudyError(f"--sampler {dotted}: {error}", "name a class, as in optuna.samplers.TPESampler") from error
    if not (inspect.isclass(found) and issubclass(found, BaseSampler)):
        raise StudyError(f"--sampler {dotted} is no optuna.samplers.BaseSampler", "name a class that is one")
    return found
