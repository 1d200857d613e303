"""What came of a trial: a score with its cost, or a failure with its reason, never a stand-in number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.plan import Config

NOISY_LOAD = 0.1
"""Foreign load above which a measurement is flagged and taken again."""
REPEAT = "repeat of trial "
"""How the reason of a result begins for which nothing ran, because the same configuration was known."""
COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"


@dataclass(frozen=True)
class TrialResult:
    """Result of one trial.

    `cost` is that of one fit, the objective of the search; `spent` is what really ran: all folds, or what a
    failed trial burned before it failed. `score` is None unless the trial is complete.
    """

    trial: int
    state: str
    config: Config
    cost: Cost
    spent: Cost
    score: float | None = None
    reason: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    importances: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    inference: Measurement | None = None
    """Cost of 1,000 predictions, where it was asked for."""
    foreign_load: float = 0.0
    """Share of the machine that other work used meanwhile, from 0 to 1."""
    repeats_j: tuple[float, ...] = ()
    """Joules of the objective in each repeated measurement, where `cost` is their mean."""

    @property
    def is_repeat(self) -> bool:
        """Is it a known result under a new number, for which nothing ran?"""
        return self.reason.startswith(REPEAT)

    @property
    def is_noisy(self) -> bool:
        """Was the machine so busy with other work that the joules may be off?"""
        return self.foreign_load > NOISY_LOAD

    @property
    def is_complete(self) -> bool:
        """Has it a score and a cost?"""
        return self.state == COMPLETE

    @property
    def model(self) -> str:
        """Name of the trained model."""
        return self.config.model

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {
            "trial": self.trial,
            "state": self.state,
            "score": self.score,
            "reason": self.reason,
            "config": self.config.to_json(),
            "metrics": dict(self.metrics),
            "importances": dict(self.importances),
            "notes": list(self.notes),
            "inference": self.inference.to_json() if self.inference else None,
            "foreign_load": self.foreign_load,
            "repeats_j": list(self.repeats_j),
            "cost": self.cost.to_json(),
            "spent": self.spent.to_json(),
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> TrialResult:
        """The result that `to_json` wrote."""
        return TrialResult(
            trial=int(document["trial"]),
            state=str(document["state"]),
            config=Config(document["config"]),
            cost=Cost.from_json(document["cost"]),
            spent=Cost.from_json(document["spent"]),
            score=document["score"],
            reason=str(document["reason"]),
            metrics=dict(document["metrics"]),
            importances=dict(document["importances"]),
            notes=tuple(document["notes"]),
            inference=Measurement(**document["inference"]) if document["inference"] else None,
            foreign_load=float(document["foreign_load"]),
            repeats_j=tuple(document["repeats_j"]),
        )
