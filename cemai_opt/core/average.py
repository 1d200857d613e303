"""An average: a weighted mean of the predictions of front members, as one more candidate beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from cemai_opt.core.plan import JsonConfig
from cemai_opt.core.result import TrialResult

AVERAGE = "average"
"""The name that an average has where a pipeline has that of its model, and by which it is picked."""
NO_TRIAL = -1
"""Stands where a pipeline has the number of its trial."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A front member in an average; the weights of all parts add up to 1."""

    trial: int
    weight: float


@dataclass(frozen=True, kw_only=True)
class WeightedConfig:
    """The configuration of a part of an average, with its weight."""

    weight: Annotated[float, Field(gt=0.0)]
    config: JsonConfig


@dataclass(frozen=True, kw_only=True)
class AverageConfig:
    """The configurations of an average, as in `config.yaml`, and its decision threshold if it has one."""

    threshold: float | None = None
    parts: Annotated[tuple[WeightedConfig, ...], Field(min_length=1)]

    @property
    def weights(self) -> list[float]:
        """The weights of the parts, scaled so that they add up to 1."""
        total = math.fsum(part.weight for part in self.parts)
        return [part.weight / total for part in self.parts]


@dataclass(frozen=True, kw_only=True)
class Average:
    """The best average of some front members, with its score on validation rows, and on test rows if it was tested.

    `candidates` are the trials that it was chosen from; the cost of both results is the sum of the parts' costs.
    """

    parts: tuple[Part, ...]
    candidates: tuple[int, ...]
    validated: TrialResult
    tested: TrialResult | None = None
