"""The base of all samplers."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import final

from optuna.samplers import BaseSampler

from cemai_opt.core.front import Wanted
from cemai_opt.core.genes import Value
from cemai_opt.core.registry import Part
from cemai_opt.core.space import SearchSpace

PARENT = "cemai:parent"
"""User attribute of a harvested trial: the trial on whose curve it is a point."""


@dataclass(frozen=True)
class Budget:
    """What a sampler may know of the search. `seen` grows with every configuration that was run, by digest."""

    trials: int
    seed: int
    population: int | None = None
    seen: set[str] = field(default_factory=set)
    done: int = 0
    """Trials of earlier sessions."""
    driver: str = ""
    """Name of the driver, where there are several: they should not draw the same."""
    wanted: Wanted = field(default_factory=Wanted)
    """What a pipeline must keep to be of use."""
    gate: list[Callable[[Mapping[str, Value]], bool]] = field(default_factory=list)
    """Filled by the search: says whether a configuration would be run now. A sampler may ask, and need not."""

    def would_run(self, genome: Mapping[str, Value]) -> bool:
        """Is the configuration affordable now, as far as anyone can say?"""
        return all(is_affordable(genome) for is_affordable in self.gate)

    @property
    def session_seed(self) -> int:
        """The seed for a sampler that draws in sequence: a resumed search does not draw the same again."""
        return (self.seed + 1_000_003 * self.done + zlib.crc32(self.driver.encode())) % 2**32

    @property
    def population_size(self) -> int:
        """A twentieth of the trials, between 10 and 50: a larger one has too few generations to evolve."""
        return self.population or min(max(self.trials // 20, 10), 50)


class Sampler(Part, ABC):
    """One way to choose the next configuration. A part writes `_build`."""

    @final
    def build(self, space: SearchSpace, budget: Budget) -> BaseSampler:
        """Optuna's sampler for this search."""
        return self._build(space, budget)

    @abstractmethod
    def _build(self, space: SearchSpace, budget: Budget) -> BaseSampler:
        """Optuna's sampler for this search."""
