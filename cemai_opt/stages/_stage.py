"""The base of all stages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, final

from cemai_opt.core.batch import Batch, FittedState, FloatArray, Task
from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.hyperparameters import Hyperparameter, Value
from cemai_opt.core.onnx_graph import OnnxGraph
from cemai_opt.core.registry import Part

Params = Mapping[str, Value]


@dataclass(frozen=True, kw_only=True)
class Lookback:
    """The earlier rows of the same group that a stage needs for a row."""

    rows: int = 0
    """Number of rows directly before it."""
    start_rows: int = 0
    """Number of rows at the start of the group."""
    restart_rows: int = 0
    """Number of additional rows, so that values that are updated from row to row have equal rounding errors."""
    last_known: bool = False
    """Whether the last known value of each column is needed, at any distance."""


class Stage(Part, ABC):
    """One step of a pipeline. Subclasses implement `_run` and set `order`: 10, 20, ... 100 for the ten built-in stages.

    A stage is fitted to `batch.is_train` rows only, uses no later row and no other group for a row, and keeps all rows.
    It stores its fitted state in `batch.fitted_states`; if its entry already exists, it only transforms.
    """

    order: ClassVar[int]
    is_optional: ClassVar[bool] = True
    """Whether a search space may skip this stage."""
    is_for_new_rows: ClassVar[bool] = True
    """Whether new rows pass through this stage before prediction."""

    model: str = ""
    """Name of the model of the pipeline; set by the pipeline before `prepare`."""
    on_checkpoint: Callable[[Batch, int], bool] | None = None
    """Set by the pipeline before `run`. The training stage calls it with the batch that holds the partially trained
    model, and with the model's size; it returns False if training may end."""

    @classmethod
    def libraries(cls, model: str, params: Params) -> tuple[str, ...]:
        """The libraries that this stage loads in a pipeline with that model; `params` may lack defaults."""
        return cls.requires

    @classmethod
    def hyperparameters(cls) -> tuple[Hyperparameter, ...]:
        """Hyperparameters of this stage."""
        return ()

    @classmethod
    def accepted(cls, params: Params, task: str) -> tuple[Hyperparameter, ...]:
        """Every hyperparameter that is valid in `params`: those of the stage, unless a subclass adds others."""
        return cls.hyperparameters()

    @classmethod
    def upgraded(cls, params: Params) -> Params:
        """Parameters of an earlier version under their present names."""
        return params

    @classmethod
    @final
    def checked(cls, stage: str, params: Params, *, task: str) -> dict[str, Value]:
        """`params` with defaults filled in. StudyError for an unknown hyperparameter, or a value outside its range.

        `task` is "regression" or "classification".
        """
        params = cls.upgraded(params)
        known = {hyperparameter.name: hyperparameter for hyperparameter in cls.accepted(params, task)}
        for name in params:
            if name not in known:
                raise StudyError(f"stage {stage!r} has no hyperparameter {name!r}", nearest(name, known))
        try:
            return {name: known[name].check(params.get(name, known[name].default)) for name in known}
        except StudyError as error:
            raise StudyError(f"stage {stage!r}: {error.message}", error.hint) from error

    @classmethod
    def volume(cls, params: Params) -> float:
        """The factor by which this stage changes the number of values to train on, computed from `params` only."""
        return 1.0

    @classmethod
    def columns(cls, params: Params) -> float:
        """The part of `volume` that makes rows longer, not more: columns of a training row for each one before."""
        return 1.0

    @classmethod
    def lookback(cls, params: Params) -> Lookback:
        """The earlier rows that this stage needs, so that a part of a group has the same result as the whole group."""
        return Lookback()

    @classmethod
    def onnx(cls, graph: OnnxGraph, rows: str, *, params: Params, state: FittedState | None) -> str:
        """Adds the transformation of new rows to the graph: `rows` are (t, n) float64 of one group in time order.

        StudyError if the stage has no ONNX form for these `params`.
        """
        raise StudyError(f"stage {cls.__name__} has no ONNX form", "use the native form")

    @classmethod
    def load_for(cls, X: FloatArray) -> None:
        """Loads what makes this stage faster, if so many values (n_rows, n_columns) repay it; once for a data set."""
        return

    def prepare(self, params: Params, task: Task) -> None:
        """Imports the libraries that `run` needs; called before the measurement begins."""
        return

    @final
    def run(self, batch: Batch, params: Params) -> Batch:
        """The batch after this stage; `params` come from `checked`."""
        return self._run(batch, params)

    @abstractmethod
    def _run(self, batch: Batch, params: Params) -> Batch:
        """The batch after this stage."""
