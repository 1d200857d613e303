"""Any sampler class of Optuna, or of a library with the same interface, by its dotted name."""

from __future__ import annotations

import importlib
import inspect

import optuna
from optuna.samplers import BaseSampler

from cemai_opt.core.errors import StudyError
from cemai_opt.core.space import SearchSpace
from cemai_opt.search.samplers._sampler import Sampler, SamplerContext


class ImportedSampler(Sampler):
    """For example `optuna.samplers.CmaEsSampler`; built with the study's seed if its constructor takes one."""

    def __init__(self, dotted: str) -> None:
        self._kind = _class_at(dotted)
        study = optuna.create_study(
            storage=optuna.storages.InMemoryStorage(),
            directions=["maximize", "minimize"],
            sampler=self._made(0),
        )
        try:
            for _ in range(2):
                trial = study.ask({"x": optuna.distributions.FloatDistribution(0.0, 1.0)})
                study.tell(trial, [0.0, 0.0])
        except ValueError as error:
            raise StudyError(f"--sampler {dotted}: {error}", "it must support two objectives") from error

    def _build(self, space: SearchSpace, context: SamplerContext) -> BaseSampler:
        return self._made(context.session_seed)

    def _made(self, seed: int) -> BaseSampler:
        takes_seed = "seed" in inspect.signature(self._kind).parameters
        try:
            return self._kind(**({"seed": seed} if takes_seed else {}))
        except (TypeError, ValueError, ImportError) as error:
            raise StudyError(f"--sampler {self._kind.__name__}: {error}", "its constructor needs arguments") from error


def _class_at(dotted: str) -> type[BaseSampler]:
    """The class with a dotted name. StudyError if there is none, or if it is not a sampler."""
    module, _, name = dotted.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise StudyError(f"--sampler {dotted}: {error}", "name a class, as in optuna.samplers.TPESampler") from error
    if not (inspect.isclass(found) and issubclass(found, BaseSampler)):
        raise StudyError(f"--sampler {dotted} is not a subclass of optuna.samplers.BaseSampler", "name one that is")
    return found
