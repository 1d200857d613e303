"""The base of all samplers."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import final

from optuna import Study
from optuna.samplers import BaseSampler

from cemai_opt.core.front import Constraints
from cemai_opt.core.registry import Part
from cemai_opt.core.space import Params, SearchSpace

PARENT = "cemai:parent"
"""User attribute of a candidate from a learning curve: the trial that the curve belongs to."""


@dataclass(kw_only=True)
class SamplerContext:
    """The state of a search that its sampler may use; the search keeps it up to date.

    `done` counts trials of earlier sessions. `driver` names the driver if there are several, so that they do not draw
    the same configurations. `seen` holds the digests of all configurations that were run or considered;
    `is_affordable` returns whether a configuration would be run now. A sampler need not use them.
    """

    trials: int
    seed: int
    population: int | None = None
    done: int = 0
    driver: str = ""
    constraints: Constraints = field(default_factory=Constraints)
    seen: set[str] = field(default_factory=set)
    is_affordable: Callable[[Params], bool] = field(default=lambda params: True)

    @property
    def session_seed(self) -> int:
        """The seed of a sampler with a random state: a resumed search does not draw the same values again."""
        return (self.seed + 1_000_003 * self.done + zlib.crc32(self.driver.encode())) % 2**32

    @property
    def trial_seed(self) -> tuple[int, ...]:
        """The seed of a sampler that draws by trial number; drivers may draw for the same number at a time."""
        return (self.seed, zlib.crc32(self.driver.encode())) if self.driver else (self.seed,)

    @property
    def population_size(self) -> int:
        """A twentieth of the trials, between 10 and 50: a larger population has too few generations to evolve."""
        return self.population or min(max(self.trials // 20, 10), 50)


class Sampler(Part, ABC):
    """One way to choose the next configuration. Subclasses implement `_build`."""

    @final
    def build(self, space: SearchSpace, context: SamplerContext) -> BaseSampler:
        """Optuna's sampler for this search."""
        return self._build(space, context)

    @abstractmethod
    def _build(self, space: SearchSpace, context: SamplerContext) -> BaseSampler:
        """Optuna's sampler for this search."""


class EnqueuingSampler(BaseSampler, ABC):
    """A sampler that chooses all hyperparameters of a trial before there is one.

    Written at once, they are one entry of a storage; suggested one after the other, they are one entry each.
    """

    @abstractmethod
    def enqueue(self, study: Study) -> None:
        """Adds a waiting trial with all of its hyperparameters."""
