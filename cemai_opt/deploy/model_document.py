"""The contents of `model.json`: everything about an exported model except its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field

from cemai_opt.core.average import Part
from cemai_opt.core.batch import TargetScale, Task
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.serialization import RECORD
from cemai_opt.core.study import ResolvedCarbon
from cemai_opt.datasets import Schema
from cemai_opt.deploy.intervals import Interval
from cemai_opt.deploy.unit_errors import UnitErrors


@dataclass(frozen=True, kw_only=True)
class PickedMember:
    """The front member that the model comes from, why it was picked, and its scores and cost in the search.

    An average has `parts` instead of a trial of its own.
    """

    rule: str
    score: str
    trial: int
    model: str
    validation: float
    test: float | None
    carbon_g: float
    uncertainty_g: float
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TestScore:
    """Scores on the test rows, which neither training nor search has seen."""

    score: str
    value: float
    interval: Interval | None
    metrics: Mapping[str, float]
    rows: int
    errors: UnitErrors | None = None
    """The level of errors that the model is expected to make; None in files of 0.1.0."""


@dataclass(frozen=True, kw_only=True)
class TrainingCost:
    """The cost of training the exported model, and where it was measured."""

    energy_j: float
    carbon_g: float
    uncertainty_g: float
    source: str
    host: str
    rows: int | None = None
    """Rows that it could be trained on, of which the pipeline may take a share; None in files of 0.1.0."""
    with_test_rows: bool = False
    """Whether the test rows are among them; the test score is then that of the same pipeline without them."""
    test_j: float = 0.0
    """Joules of training that pipeline without them for its test, which are not in the others."""
    files_j: float = 0.0
    """Joules of writing the model's forms and comparing their predictions, which are not in the others."""


@dataclass(frozen=True, kw_only=True)
class HistoryRows:
    """How many earlier rows of a group a prediction needs."""

    rows: int
    start_rows: int
    last_known: bool
    continues: bool = False
    """Whether rows to predict continue series of the training data, as where these were split by time."""


@dataclass(frozen=True, kw_only=True)
class StageDocument:
    """A stage that new rows pass through: its parameters and its fitted state, as lists of numbers."""

    name: str
    params: Mapping[str, Value]
    state: Annotated[Mapping[str, Any] | None, Field(alias="learnt")]


@dataclass(frozen=True, kw_only=True)
class FittedModelDocument:
    """A fitted model: its name and parameters, and what is needed in addition to its file to restore it."""

    name: str
    params: Mapping[str, Value]
    state: Mapping[str, Any]
    window: int
    n_features: int


@dataclass(frozen=True, kw_only=True)
class ScorerDocument:
    """A fitted pipeline without its weights."""

    task: Annotated[Task, Field(alias="job")]
    inputs: tuple[str, ...]
    stages: tuple[StageDocument, ...]
    model: FittedModelDocument
    target: TargetScale


@dataclass(frozen=True, kw_only=True)
class PartDocument:
    """One pipeline of an average: its weight, the trial that it comes from, and the folder of its files."""

    trial: int
    weight: float
    folder: str
    scorer: ScorerDocument


@dataclass(frozen=True, kw_only=True)
class AverageDocument:
    """Several fitted pipelines whose predictions are averaged; `task` holds the decision threshold of the average."""

    task: Annotated[Task, Field(alias="job")]
    inputs: tuple[str, ...]
    parts: Annotated[tuple[PartDocument, ...], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class NativeParity:
    """How many test rows the restored model predicts differently from training."""

    rows: int
    differing: int


@dataclass(frozen=True, kw_only=True)
class OnnxParity:
    """How closely the ONNX graph agrees with training on the test rows."""

    rows: int
    tolerance: float | str
    """Largest difference that counts as equal, or "the same class"."""
    share_alike: float
    largest_difference: float | None = None
    mean_difference: float | None = None

    @property
    def tolerance_text(self) -> str:
        """The tolerance in words."""
        return self.tolerance if isinstance(self.tolerance, str) else f"within {self.tolerance:.3g}"


@dataclass(frozen=True, kw_only=True)
class OnnxForm:
    """The ONNX file of a model and how it agrees with training, or why there is none."""

    file: str | None
    why: str = ""
    opsets: Mapping[str, int] | None = None
    parity: OnnxParity | None = None


@dataclass(frozen=True, kw_only=True)
class ModelDocument:
    """The contents of `model.json`, except its own checksum."""

    __pydantic_config__: ClassVar[ConfigDict] = RECORD

    format: int
    """Version of this document; docs/formats.md describes how it may change."""
    product: str
    study: str
    kind: Annotated[str, Field(alias="task")]
    """"regression" or "classification"."""
    classes: tuple[str, ...]
    picked: PickedMember
    test: TestScore
    training: TrainingCost
    carbon: ResolvedCarbon
    horizon: int
    clip_target: float | None
    schema: Schema
    history: HistoryRows
    scorer: ScorerDocument | AverageDocument
    versions: Mapping[str, str]
    native: NativeParity
    onnx: OnnxForm
    files: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each other file of the folder, by name."""

    @property
    def models(self) -> tuple[str, ...]:
        """Name of the model of each fitted pipeline: several of an average."""
        if isinstance(self.scorer, ScorerDocument):
            return (self.scorer.model.name,)
        return tuple(part.scorer.model.name for part in self.scorer.parts)
