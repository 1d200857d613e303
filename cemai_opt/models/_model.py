"""The base class of all models."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, Prediction, Samples, Task
from cemai_opt.core.errors import StudyError
from cemai_opt.core.hyperparameters import Hyperparameter, Value, choice
from cemai_opt.core.registry import Part
from cemai_opt.models._categories import ENCODINGS, CategoryEncoder, fitted_encoder

NO_SCALING: Mapping[str, Value] = {"scale.input": "none"}
"""Pins for trees: their splits depend only on the order of values, so their trials should not pay for scaling."""


MAX_NATIVE_LEVELS = 254
"""Trees that split by categories keep them in bins of 8 bits; with more, categories are encoded."""
TABLES = "tables"
"""Key of the encoder's tables in the state of a model."""
CLASS_WEIGHT = "class_weight"
"""Name of the hyperparameter by which classes are weighted; the product computes the weights, the library gets them."""

CHECKPOINT_GROWTH = 1.5
"""Ratio of the sizes of successive checkpoints: predicting at all of them costs as much as three final predictions."""

CheckpointCallback = Callable[[int], bool]
"""Called with the size that a model has reached, at which it can predict; returns False to end training."""


class Model(Part, ABC):
    """One kind of model. Subclasses implement `hyperparameters`, `_fit` and `_predict`.

    For export they also implement `_write` and `_read`, and `_onnx` for the ONNX form.

    `grows_by` is the name of the hyperparameter that counts rounds, trees or epochs, if training to a size includes
    every smaller model: such a subclass calls `_goes_on(size)` during training.

    `tasks` are the tasks that it can solve.

    `cost_rank` orders the first trials of a search, cheapest first. `design` sets hyperparameters of stages, by their
    full names, in this model's first trials. `pins` are hyperparameters of stages that have no effect on this model,
    with their values for it.
    """

    tasks: ClassVar[tuple[str, ...]] = ("regression", "classification")
    cost_rank: ClassVar[int] = 50
    knows_categories: ClassVar[bool] = False
    """Whether it splits by categories itself; for others, categories are encoded as numbers."""
    is_additive: ClassVar[bool] = False
    """Whether its output is a sum of one term per variable: its Shapley values are then exact without sampling."""
    explained_with: ClassVar[tuple[str, ...]] = ()
    """Libraries that `shapley_values` needs besides those of the model."""
    is_bounded: ClassVar[bool] = False
    """Whether its predictions stay close to the targets it was trained on, however far off its inputs are."""
    design: ClassVar[Mapping[str, Value]] = {}
    pins: ClassVar[Mapping[str, Value]] = {}
    grows_by: ClassVar[str | None] = None
    reads_batches: ClassVar[bool] = False
    """Whether `_fit` gets windows that are copied batch by batch, if they would take much memory (`WindowRows`)."""
    continues: ClassVar[bool] = False
    """Whether training can go on with new rows only; such a subclass implements `_partial_fit`."""
    partial_fit_is_exact: ClassVar[bool] = False
    """Whether that gives the model that a fit to all rows would give."""

    _is_warm: ClassVar[set[tuple[str, str]]] = set()

    def __init__(self, params: Mapping[str, Value], task: Task) -> None:
        self.task = task
        self.params = {h.name: params.get(h.name, h.default) for h in self.hyperparameters(task.kind)}
        self._encoder: CategoryEncoder | None = None
        self._on_checkpoint: CheckpointCallback | None = None
        self._checkpoint_sizes: frozenset[int] = frozenset()

    @classmethod
    @abstractmethod
    def hyperparameters(cls, task: str) -> tuple[Hyperparameter, ...]:
        """Hyperparameters for "regression" or "classification"; the defaults are the library's own."""

    @classmethod
    def effort(cls, params: Mapping[str, Value], n_columns: float) -> float:
        """Work for each value of the training windows, relative to that for rows of few columns.

        `params`: its hyperparameters; `n_columns`: columns of a window, all its rows side by side. A search estimates
        costs by it.
        """
        return 1.0

    @property
    def library_params(self) -> dict[str, Value]:
        """The hyperparameters that the library knows under the same names."""
        return {name: value for name, value in self.params.items() if name != CLASS_WEIGHT}

    def row_weights(self, y: FloatArray | IntArray) -> FloatArray | None:
        """Weights of training rows, mean 1, that give every class the same total: (n,). None if all rows count alike.

        `y`: (n,) class codes.
        """
        if self.params.get(CLASS_WEIGHT) != "balanced":
            return None
        _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        weights: FloatArray = (len(y) / (len(counts) * counts))[codes]
        return weights

    @final
    def fit(
        self, samples: Samples, on_checkpoint: CheckpointCallback | None = None, *, encoding: str = ENCODINGS[0]
    ) -> None:
        """Fits the model to `samples`; the same seed gives the same model, with a callback and without.

        `on_checkpoint` is called at each of `checkpoints`, and may end training there. `encoding` is that of
        categories, if the model does not know them.
        """
        self._on_checkpoint = on_checkpoint
        self._checkpoint_sizes = frozenset(self.checkpoints() if on_checkpoint is not None else ())
        X = samples.X if self.reads_batches else np.asarray(samples.X)
        if self.task.n_levels and not self.gets_categories:
            self._encoder, X = fitted_encoder(
                np.asarray(X), samples.y, group=samples.group, task=self.task, encoding=encoding
            )
        self._fit(X, samples.y, group=samples.group)  # type: ignore[arg-type]  # as far as a subclass reads batches
        self._on_checkpoint = None

    @final
    def partial_fit(self, samples: Samples, *, n_known: int) -> None:
        """Continues the training with new rows, prepared as those before; `n_known` rows were fitted until now.

        StudyError if this model cannot: see `why_not_partial_fit`.
        """
        if reason := self.why_not_partial_fit(samples.y):
            raise StudyError(f"{type(self).__name__} cannot continue its training: {reason}", "refit it")
        X = np.asarray(samples.X) if self._encoder is None else self._encoder.encoded(np.asarray(samples.X))
        self._partial_fit(X, samples.y, group=samples.group, share=len(X) / (n_known + len(X)))

    @final
    def why_not_partial_fit(self, y: FloatArray) -> str:
        """Why training cannot go on with rows of these targets, (n,), in words; empty if it can."""
        if not self.continues:
            return "this model has to be fitted to all rows at once"
        return self._why_not_partial_fit(y)

    def summarize(self, samples: Samples) -> None:
        """Keeps of the training rows what `partial_fit` needs, where that is more than the fitted model."""

    def _why_not_partial_fit(self, y: FloatArray) -> str:
        """As `why_not_partial_fit`, of a model that continues in general."""
        return ""

    def _partial_fit(self, X: FloatArray, y: FloatArray, *, group: IntArray, share: float) -> None:
        """Continues the training; `share` is that of the new rows among all."""
        raise StudyError(f"model {type(self).__name__} cannot continue its training", "give its class `_partial_fit`")

    @property
    def gets_categories(self) -> bool:
        """Whether the model gets codes of categories as its last features, -1 if unknown."""
        n_levels = self.task.n_levels
        return self.knows_categories and bool(n_levels) and max(n_levels) <= MAX_NATIVE_LEVELS

    @final
    def categorical(self, window: int, n_features: int) -> list[int]:
        """Positions of codes of categories in a flat window, time-major; empty if the model does not get them."""
        if not self.gets_categories:
            return []
        first = n_features - len(self.task.n_levels)
        return [row * n_features + feature for row in range(window) for feature in range(first, n_features)]

    @final
    def checkpoints(self) -> tuple[int, ...]:
        """Sizes below the full one at which `on_checkpoint` is called, smallest first."""
        if self.grows_by is None:
            return ()
        smallest = next(h.low for h in self.hyperparameters(self.task.kind) if h.name == self.grows_by)
        full, size, sizes = int(self.params[self.grows_by]), float(smallest), []
        while round(size) < full:
            sizes.append(round(size))
            size *= CHECKPOINT_GROWTH
        return tuple(sizes)

    @final
    def _goes_on(self, size: int) -> bool:
        """Reports that the model has reached a size at which it can predict; False means that training should stop."""
        return self._on_checkpoint is None or size not in self._checkpoint_sizes or self._on_checkpoint(size)

    @final
    def predict(self, X: FloatArray) -> Prediction:
        """Predictions for `X`: (n, window, n_features); that of a row does not depend on the other rows."""
        return self._predict(X if self._encoder is None else self._encoder.encoded(X))

    @final
    def shapley_values(self, X: FloatArray, *, background: FloatArray) -> FloatArray | None:
        """Shapley values by an algorithm that is made for this kind of model: (n, n_features, n_outputs).

        `X`: (n, window, n_features); the value of a variable is the sum over its rows in the window. `background`:
        windows (m, window, n_features) that stand for absent variables, where the algorithm needs some. None if there
        is no such algorithm.
        """
        if self._encoder is None:
            values = self._shapley_values(X, background=background)
            return None if values is None else values.sum(axis=1)
        encoded, by_encoded = (self._encoder.encoded(windows) for windows in (X, background))
        values = self._shapley_values(encoded, background=by_encoded)
        return None if values is None else self._encoder.summed(values.sum(axis=1))

    @final
    def save(self, folder: Path) -> dict[str, Any]:
        """Writes the fitted model into `folder`, and returns as JSON values what `restored` needs besides the files."""
        if self._encoder is None:
            return self._write(folder)
        return {**self._write(folder), TABLES: [table.tolist() for table in self._encoder.tables]}

    @classmethod
    @final
    def restored(cls, folder: Path, state: Mapping[str, Any], *, params: Mapping[str, Value], task: Task) -> Model:
        """The model that `save` wrote, with bitwise equal predictions. Its files cannot contain executable code."""
        model = cls(params, task)
        if TABLES in state:
            model._encoder = CategoryEncoder(tuple(np.asarray(table, np.float64) for table in state[TABLES]))
        model._read(folder, state)
        return model

    @final
    def onnx(self, window: int, n_features: int) -> Any:
        """The fitted model as an ONNX graph: input `X` (n, window, n_features) float32; output `value` (n,) float64, or
        for classes `by_class` (n, n_classes) float64. StudyError if it has no ONNX form."""
        if self.gets_categories:
            raise StudyError(f"{type(self).__name__} with categories has no ONNX form", "use the native form")
        if self._encoder is None:
            return self._onnx(window, n_features)
        n_encoded = n_features + sum(table.shape[1] - 1 for table in self._encoder.tables)
        return self._encoder.onnx(self._onnx(window, n_encoded), window=window, n_features=n_features)

    def _write(self, folder: Path) -> dict[str, Any]:
        """Writes the fitted model in a form that contains no executable code."""
        raise StudyError(f"model {type(self).__name__} cannot be exported", "give its class `_write` and `_read`")

    def _read(self, folder: Path, state: Mapping[str, Any]) -> None:
        """Restores what `_write` wrote."""
        raise StudyError(f"model {type(self).__name__} cannot be loaded", "give its class `_write` and `_read`")

    def _onnx(self, window: int, n_features: int) -> Any:
        """The fitted model as an ONNX graph."""
        raise StudyError(f"model {type(self).__name__} has no ONNX form", "use the native form")

    @classmethod
    @final
    def load(cls, task: Task) -> None:
        """Imports the libraries and fits a few rows, once per process, so that no trial pays for either."""
        for library in cls.requires:
            importlib.import_module(library)
        task = replace(task, n_levels=())
        if (cls.__name__, task.kind) not in cls._is_warm:
            rng = np.random.default_rng(0)
            X = rng.normal(size=(64, 2, 3)).astype(np.float32)
            y = np.arange(64.0) % (task.n_classes if task.is_classification else 7)
            model = cls({}, task)
            model.fit(Samples(X, y, np.repeat(np.arange(8), 8)))
            model.predict(X)
            cls._is_warm.add((cls.__name__, task.kind))

    @classmethod
    def load_to_predict(cls) -> None:
        """Called before `restored` in a process that does nothing but predict: may import its libraries in part."""

    @abstractmethod
    def _fit(self, X: FloatArray, y: FloatArray, *, group: IntArray) -> None:
        """Fits the model to `X` (n, window, n_features), `y` (n,), `group` (n,)."""

    @abstractmethod
    def _predict(self, X: FloatArray) -> Prediction:
        """Predictions for `X`: (n, window, n_features)."""

    def _shapley_values(self, X: FloatArray, *, background: FloatArray) -> FloatArray | None:
        """As `shapley_values`, of each value of a window: (n, window, n_features, n_outputs)."""
        return None


def class_weight(task: str) -> tuple[Hyperparameter, ...]:
    """The hyperparameter `class_weight` for classifications: whether rare classes count as much as frequent ones."""
    weights = choice(CLASS_WEIGHT, ("none", "balanced"), default="none")
    return (weights,) if task == "classification" else ()
