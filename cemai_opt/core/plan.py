"""What a trial is told: a configuration inside a plan that travels as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cemai_opt.core.genes import Value
from cemai_opt.core.limits import Limits
from cemai_opt.core.spec import StudySpec


def digest_of(thing: object) -> str:
    """Twelve hexadecimal digits that name a JSON value, whatever the order of its keys.

    >>> digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    True
    """
    text = json.dumps(thing, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Config:
    """The active parameters of one pipeline: `stages[STAGE][PARAM]` is a value."""

    stages: Mapping[str, Mapping[str, Value]]

    @property
    def model(self) -> str:
        """Name of the model that this pipeline trains."""
        return str(self.stages["train"]["model"])

    @property
    def digest(self) -> str:
        """The same for two configurations that run the same pipeline."""
        return digest_of(self.to_json())

    def params(self, stage: str) -> Mapping[str, Value]:
        """Parameters of one stage; empty where it runs with its defaults."""
        return self.stages.get(stage, {})

    def to_json(self) -> dict[str, dict[str, Value]]:
        """Plain dictionaries, stages and parameters in their order."""
        return {stage: dict(params) for stage, params in self.stages.items()}


@dataclass(frozen=True)
class TrialPlan:
    """All that an engine may know of a trial.

    `phase` is "search" (score on validation, test rows are not even in memory of the pipeline) or "final"
    (train on train + validation, score on test). `stages` are the names of the stages to run, in order. With `limits`
    the trial watches its model grow and may end early; `cache` is the folder of stage results to share, if any.
    """

    trial: int
    study: StudySpec
    config: Config
    phase: str
    stages: tuple[str, ...]
    folds: int
    limits: Limits | None = None
    cache: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {
            "trial": self.trial,
            "study": self.study.to_json(),
            "config": self.config.to_json(),
            "phase": self.phase,
            "stages": list(self.stages),
            "folds": self.folds,
            "limits": self.limits.to_json() if self.limits else None,
            "cache": self.cache,
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> TrialPlan:
        """The plan that `to_json` wrote."""
        return TrialPlan(
            trial=int(document["trial"]),
            study=StudySpec.model_validate(document["study"]),
            config=Config(document["config"]),
            phase=str(document["phase"]),
            stages=tuple(document["stages"]),
            folds=int(document["folds"]),
            limits=Limits.from_json(document["limits"]) if document["limits"] else None,
            cache=document["cache"],
        )
