"""An average: a weighted mean of the predictions of front members, as one more candidate beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from cemai_opt.core.plan import JsonConfig
from cemai_opt.core.result import TrialResult

AVERAGE = "average"
"""The name that an average has where a pipeline has that of its model, and by which it is picked."""
NO_TRIAL = -1
"""Stands where a pipeline has the number of its trial."""
MAX_WEIGHT = 1000.0
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
"""People write configurations: a key that is not known is most likely a typing error."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A front member in an average; the weights of all parts add up to 1."""

    trial: int
    weight: float


@dataclass(frozen=True, kw_only=True)
class WeightedConfig:
    """The configuration of a part of an average, with its weight."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    weight: Annotated[float, Field(gt=0.0, le=MAX_WEIGHT)]
    config: JsonConfig


@dataclass(frozen=True, kw_only=True)
class AverageConfig:
    """The configurations of an average, as in `config.yaml`, and its decision threshold if it has one."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

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
