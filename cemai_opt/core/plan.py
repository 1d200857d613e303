"""The input of a trial: a configuration in a plan, which is sent to workers as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from cemai_opt.core.files import sha256_of
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.pruning_bounds import PruningBounds
from cemai_opt.core.serialization import bare
from cemai_opt.core.study import ResolvedStudy

DIGEST_DIGITS = 12


@dataclass(frozen=True)
class Config:
    """The active parameters of one pipeline: `stages[STAGE][PARAM]` is a value. Its JSON form is that mapping."""

    stages: Mapping[str, Mapping[str, Value]]

    @property
    def model(self) -> str:
        """Name of the model that this pipeline trains."""
        return str(self.stages["train"]["model"])

    @cached_property
    def digest(self) -> str:
        """Twelve hexadecimal digits, equal for two configurations that run the same pipeline."""
        return sha256_of(self.mapping())[:DIGEST_DIGITS]

    def params(self, stage: str) -> Mapping[str, Value]:
        """Parameters of one stage; empty if it runs with its defaults."""
        return self.stages.get(stage, {})

    def mapping(self) -> dict[str, dict[str, Value]]:
        """Plain dictionaries, stages and parameters in their order."""
        return {stage: dict(params) for stage, params in self.stages.items()}

    def flat(self) -> dict[str, Value]:
        """All parameters by "stage.name".

        >>> Config({"train": {"model": "ridge"}}).flat()
        {'train.model': 'ridge'}
        """
        return {f"{stage}.{name}": value for stage, params in self.stages.items() for name, value in params.items()}


JsonConfig = Annotated[Config, *bare(Config, "stages", inner=dict[str, dict[str, Value]])]
"""A configuration as a field of a record."""


@dataclass(frozen=True, kw_only=True)
class TrialPlan:
    """Everything that an engine needs to run a trial.

    `phase` is "search" (score on validation rows, without access to test rows), "confirm" (the same, on the folds that
    confirm the scores of front candidates) or "final" (train on train + validation, score on test). `stages` are the
    names of the stages to run, in order. With `bounds` the trial evaluates its model during training and may be pruned;
    `cache` is the folder of shared stage results, if any; with `keeps_rows` the result holds the rows that it was
    scored on, with their predictions; with `only_fold` only the fold of this number runs.
    """

    trial: int
    study: ResolvedStudy
    config: JsonConfig
    phase: str
    stages: tuple[str, ...]
    folds: int
    bounds: PruningBounds | None = None
    cache: str | None = None
    keeps_rows: bool = False
    only_fold: int | None = None
