"""What came of a trial: a score with its cost, or a failure with its reason, never a stand-in number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cemai_opt.core.genes import Value
from cemai_opt.core.measurement import Cost, Measurement
from cemai_opt.core.plan import Config

NOISY_LOAD = 0.1
"""Foreign load above which a measurement is flagged and taken again."""
REPEAT = "repeat of trial "
"""How the reason of a result begins for which nothing ran, because the same configuration was known."""
SKIPPED = "not run: "
"""How the reason of a pruned result begins that was not worth running."""
COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"


@dataclass(frozen=True)
class CurvePoint:
    """The model at a smaller size on its way: its score, and what training to there and evaluating there cost."""

    size: int
    score: float
    metrics: Mapping[str, float]
    train: Measurement
    evaluate: Measurement
    inference: Measurement | None = None
    """Cost of 1,000 predictions, where it was asked for."""

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {
            "size": self.size,
            "score": self.score,
            "metrics": dict(self.metrics),
            "train": self.train.to_json(),
            "evaluate": self.evaluate.to_json(),
            "inference": self.inference.to_json() if self.inference else None,
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> CurvePoint:
        """The point that `to_json` wrote."""
        inference = document["inference"]
        return CurvePoint(
            size=int(document["size"]),
            score=float(document["score"]),
            metrics=dict(document["metrics"]),
            train=Measurement(**document["train"]),
            evaluate=Measurement(**document["evaluate"]),
            inference=Measurement(**inference) if inference else None,
        )


@dataclass(frozen=True)
class Curve:
    """A model as it grew: `knob` is the hyperparameter that counts its rounds, trees or epochs."""

    knob: str
    points: tuple[CurvePoint, ...]

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {"knob": self.knob, "points": [point.to_json() for point in self.points]}

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Curve:
        """The curve that `to_json` wrote."""
        return Curve(str(document["knob"]), tuple(CurvePoint.from_json(point) for point in document["points"]))


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
    fold_scores: tuple[float, ...] = ()
    """The score of each validation fold alone, where there are several."""
    curve: Curve | None = None
    """What the trial was with fewer rounds, trees or epochs, where it was watched."""
    host: str = ""
    """Name of the machine on which it ran, and was metered."""
    parent: int | None = None
    """The trial on whose curve this one is a point: nothing ran for it."""

    @property
    def is_repeat(self) -> bool:
        """Is it a known result under a new number, for which nothing ran?"""
        return self.reason.startswith(REPEAT)

    @property
    def is_skipped(self) -> bool:
        """Was it not even begun, because nothing good was to be expected for its grams?"""
        return self.reason.startswith(SKIPPED)

    @property
    def has_run(self) -> bool:
        """Did a pipeline run for it, rather than its being a repeat, a point of a curve, or not worth it?"""
        return not (self.is_repeat or self.is_skipped or self.parent is not None)

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
            "fold_scores": list(self.fold_scores),
            "host": self.host,
            "parent": self.parent,
            "curve": self.curve.to_json() if self.curve else None,
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
            fold_scores=tuple(document["fold_scores"]),
            curve=Curve.from_json(document["curve"]) if document["curve"] else None,
            host=document.get("host", ""),
            parent=document["parent"],
        )


def harvested(parent: TrialResult, point: CurvePoint, trial: int) -> TrialResult:
    """A point of the parent's curve as a trial of its own, for which nothing more was spent.

    It is the parent's pipeline with another size of the model: the other stages cost what they cost there.
    """
    assert parent.curve is not None, "only a watched trial has points"
    rows = {row.stage: row for row in parent.cost.rows} | {"train": point.train, "evaluate": point.evaluate}
    params: dict[str, Value] = {**parent.config.params("train"), parent.curve.knob: point.size}
    return replace(
        parent,
        trial=trial,
        state=COMPLETE,
        config=Config({**parent.config.stages, "train": params}),
        cost=Cost(tuple(rows.values())),
        spent=Cost(),
        score=point.score,
        reason="",
        metrics=point.metrics,
        importances={},
        inference=point.inference,
        repeats_j=(),
        fold_scores=(),
        curve=None,
        parent=parent.trial,
    )
