"""The result of a trial: a score with its cost, or a failure with its reason, never a placeholder number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.measurement import Cost, JsonCost, Measurement
from cemai_opt.core.plan import Config, JsonConfig
from cemai_opt.core.serialization import RECORD, JsonArray

NOISY_LOAD = 0.1
"""Foreign load (share of the machine used by other processes) above which a measurement is flagged and repeated."""
REPEAT = "repeat of trial "
"""Prefix of the reason of a result for which nothing ran, because the configuration had run before."""
SKIPPED = "not run: "
"""Prefix of the reason of a pruned result for which nothing ran, because it was expected to be useless."""
COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """A model at a smaller size during training: its score, and the cost of training up to it and of evaluating it."""

    __pydantic_config__: ClassVar[ConfigDict] = RECORD

    size: int
    score: float
    metrics: Mapping[str, float]
    train: Measurement
    evaluate: Measurement
    inference: Measurement | None = None
    """Cost of 1,000 predictions, if requested."""
    threshold: float | None = None
    """As in `TrialResult`."""


@dataclass(frozen=True)
class Curve:
    """The learning curve of a model over the hyperparameter that counts its rounds, trees or epochs."""

    hyperparameter: Annotated[str, Field(alias="knob")]
    points: tuple[CurvePoint, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredRows:
    """The rows that a trial was scored on, all folds one after another, and its predictions for them.

    `y`, `group`, `value`: (n,); `by_class`: (n, n_classes), None for a regression.
    """

    y: JsonArray
    group: JsonArray
    value: JsonArray
    by_class: JsonArray | None = None

    @staticmethod
    def joined(parts: Sequence[ScoredRows]) -> ScoredRows:
        """The rows of several folds, one after another."""
        import numpy as np

        y, group, value = (np.concatenate([getattr(part, key) for part in parts]) for key in ("y", "group", "value"))
        by_class = [part.by_class for part in parts if part.by_class is not None]
        return ScoredRows(y=y, group=group, value=value, by_class=np.concatenate(by_class) if by_class else None)

    def sharing(self, other: ScoredRows) -> ScoredRows:
        """The same rows, with the arrays of `other` for targets and groups if these are equal, to save memory."""
        import numpy as np

        is_same = np.array_equal(self.y, other.y) and np.array_equal(self.group, other.group)
        return replace(self, y=other.y, group=other.group) if is_same else self


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """How the score of a front candidate was confirmed: pooled over `n_folds` folds that the search has not seen.

    `searched` is its score in the search, which is the best of many and so too good. `error` is the standard error of
    the pooled score, from the scores `without` each block of groups (jackknife), and `dof` are its degrees of freedom.
    A candidate that was dropped after some folds, because others were better, has `folds` < `n_folds`.
    """

    __pydantic_config__: ClassVar[ConfigDict] = RECORD

    searched: float
    folds: int
    n_folds: int
    error: float = 0.0
    without: tuple[float, ...] = ()
    dof: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether the candidate was scored on all folds."""
        return self.folds == self.n_folds


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """Result of one trial.

    `cost` is that of one fit (`core.objective` computes the objective from it); `spent` is that of everything that ran,
    all folds together. A failed trial has both from what ran before it failed. `score` is None unless it is complete.
    """

    __pydantic_config__: ClassVar[ConfigDict] = RECORD

    trial: int
    state: str
    config: JsonConfig
    cost: JsonCost = field(default_factory=Cost)
    spent: JsonCost = field(default_factory=Cost)
    score: float | None = None
    reason: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    importances: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    inference: Measurement | None = None
    """Cost of 1,000 predictions, if requested."""
    foreign_load: float = 0.0
    """Share of the machine that other processes used meanwhile, from 0 to 1."""
    repeats_j: tuple[float, ...] = ()
    """Joules of the objective in each repeated measurement; `cost` is their mean."""
    fold_scores: tuple[float, ...] = ()
    """The score of each validation fold, if there are several."""
    curve: Curve | None = None
    """The learning curve, if the model was evaluated during training."""
    host: str = ""
    """Name of the machine on which it ran and was measured."""
    parent: int | None = None
    """The trial whose learning curve contains this one as a point; nothing ran for it."""
    threshold: float | None = None
    """The decision threshold that was chosen on the validation predictions, if any."""
    factor: float = 1.0
    """How many times as many rows there are as it ran on: unless this is 1, `cost` is predicted for all of them."""
    confirmation: Confirmation | None = None
    """How its score was confirmed, if it is a front candidate; `score` and `metrics` are those of all folds then."""
    scored_rows: ScoredRows | None = None
    """The rows that it was scored on, if the plan keeps them; they are in no file."""

    @property
    def is_repeat(self) -> bool:
        """Whether it is a known result under a new number, for which nothing ran."""
        return self.reason.startswith(REPEAT)

    @property
    def is_skipped(self) -> bool:
        """Whether it was never started, because it was expected to be useless or too expensive."""
        return self.reason.startswith(SKIPPED)

    @property
    def has_run(self) -> bool:
        """Whether a pipeline ran for it; False for a repeat, a point of a learning curve, or a skipped trial."""
        return not (self.is_repeat or self.is_skipped or self.parent is not None)

    @property
    def is_predicted(self) -> bool:
        """Whether it ran on a part of the rows only, so that its score and its cost are not those of all rows."""
        return self.factor != 1.0

    @property
    def is_noisy(self) -> bool:
        """Whether other processes used so much of the machine that the joules may be wrong."""
        return self.foreign_load > NOISY_LOAD

    @property
    def is_complete(self) -> bool:
        """Whether it has a score and a cost."""
        return self.state == COMPLETE

    @property
    def is_confirmed(self) -> bool:
        """Whether its score is the pooled one of all folds that confirm it."""
        return self.confirmation is not None and self.confirmation.is_complete

    @property
    def searched_score(self) -> float | None:
        """Its score in the search."""
        return self.confirmation.searched if self.confirmation is not None else self.score

    @property
    def score_error(self) -> float:
        """Standard error of its score; 0 unless it is confirmed."""
        return self.confirmation.error if self.confirmation is not None else 0.0

    @property
    def final_config(self) -> Config:
        """The configuration with the decision threshold that was chosen in the search."""
        if self.threshold is None:
            return self.config
        stages = self.config.stages
        return Config({**stages, "evaluate": {**stages.get("evaluate", {}), "threshold": self.threshold}})

    @property
    def model(self) -> str:
        """Name of the trained model."""
        return self.config.model


def curve_candidate(parent: TrialResult, point: CurvePoint, *, trial: int) -> TrialResult:
    """A point of the parent's learning curve as a trial of its own, at no additional cost.

    It is the parent's pipeline with a smaller model; the costs of the other stages are those in the parent.
    """
    assert parent.curve is not None, "only a trial with a learning curve has points"
    rows = {row.stage: row for row in parent.cost.rows} | {"train": point.train, "evaluate": point.evaluate}
    params: dict[str, Value] = {**parent.config.params("train"), parent.curve.hyperparameter: point.size}
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
        threshold=point.threshold,
        repeats_j=(),
        fold_scores=(),
        curve=None,
        parent=parent.trial,
    )
