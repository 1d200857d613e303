"""The base of all models."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, Job, Prediction, Samples
from cemai_opt.core.errors import StudyError
from cemai_opt.core.genes import Gene, Value
from cemai_opt.core.registry import Part

SCALING_IS_NOTHING_TO_A_TREE: Mapping[str, Value] = {"scale.input": "none", "scale.target": "none"}
"""Splits depend on the order of values alone, so a tree's trial should not pay for scaling."""


CHECKPOINT_GROWTH = 1.5
"""Each checkpoint is so much larger than the one before: predicting at all of them costs three final predictions."""

Watch = Callable[[int], bool]
"""Told the size that a model has reached, at which it can predict; False says that it is enough."""


class Model(Part, ABC):
    """One kind of model. A part writes `genes`, `_fit` and `_predict`; to be exported, `_write` and `_read`; to be
    ONNX as well, `_onnx`.

    `grows_by` names the hyperparameter that counts rounds, trees or epochs, where training to a size passes through
    every smaller model on its way: such a part asks `_goes_on(size)` as it grows.

    `cost_rank` orders the first trials of a search, cheapest first. `design` sets stage knobs in this model's first
    trials (full gene names). `pins` are stage knobs that mean nothing to this model, with the value they then take.
    """

    cost_rank: ClassVar[int] = 50
    design: ClassVar[Mapping[str, Value]] = {}
    pins: ClassVar[Mapping[str, Value]] = {}
    grows_by: ClassVar[str | None] = None

    _is_warm: ClassVar[set[tuple[str, str]]] = set()

    def __init__(self, params: Mapping[str, Value], job: Job) -> None:
        self.job = job
        self.params = {gene.name: params.get(gene.name, gene.default) for gene in self.genes(job.task)}
        self._watch: Watch | None = None
        self._looked_at: frozenset[int] = frozenset()

    @classmethod
    @abstractmethod
    def genes(cls, task: str) -> tuple[Gene, ...]:
        """Hyperparameters for "regression" or "classification"; the defaults are the library's own."""

    @final
    def fit(self, samples: Samples, watch: Watch | None = None) -> None:
        """Learns from `samples`; the same seed gives the same model, watched or not.

        `watch` is called at each of `checkpoints`, and may end the growth there.
        """
        self._watch, self._looked_at = watch, frozenset(self.checkpoints() if watch is not None else ())
        self._fit(samples.X, samples.y, samples.group)
        self._watch = None

    @final
    def checkpoints(self) -> tuple[int, ...]:
        """Sizes below the full one at which a watched model stops to be looked at, smallest first."""
        if self.grows_by is None:
            return ()
        gene = next(gene for gene in self.genes(self.job.task) if gene.name == self.grows_by)
        full, size, sizes = int(self.params[self.grows_by]), float(gene.low), []
        while round(size) < full:
            sizes.append(round(size))
            size *= CHECKPOINT_GROWTH
        return tuple(sizes)

    @final
    def _goes_on(self, size: int) -> bool:
        """Says that the model has reached a size, and can predict; False: it is to stay as it is."""
        return self._watch is None or size not in self._looked_at or self._watch(size)

    @final
    def predict(self, X: FloatArray) -> Prediction:
        """Predictions for `X`: (n, window, n_features); that of a row does not depend on the rows beside it."""
        return self._predict(X)

    @final
    def save(self, folder: Path) -> dict[str, Any]:
        """Writes the fitted model into `folder`; what `restored` wants to know beside the files, as JSON values."""
        return self._write(folder)

    @classmethod
    @final
    def restored(cls, folder: Path, state: Mapping[str, Any], params: Mapping[str, Value], job: Job) -> Model:
        """The model that `save` wrote: it predicts the same, to the last bit. No file can make it run code."""
        model = cls(params, job)
        model._read(folder, state)
        return model

    @final
    def onnx(self, window: int, n_features: int) -> Any:
        """The fitted model as an ONNX graph: `X` (n, window, n_features) float32 in; out `value` (n,) float64, for
        classes `by_class` (n, n_classes) float64. StudyError where it has no such form."""
        return self._onnx(window, n_features)

    def _write(self, folder: Path) -> dict[str, Any]:
        """Writes the fitted model in a form that holds no code."""
        raise StudyError(f"model {type(self).__name__} cannot be exported", "give its class `_write` and `_read`")

    def _read(self, folder: Path, state: Mapping[str, Any]) -> None:
        """Takes in what `_write` wrote."""
        raise StudyError(f"model {type(self).__name__} cannot be loaded", "give its class `_write` and `_read`")

    def _onnx(self, window: int, n_features: int) -> Any:
        """The fitted model as an ONNX graph."""
        raise StudyError(f"model {type(self).__name__} has no ONNX form", "use its own")

    @classmethod
    @final
    def load(cls, job: Job) -> None:
        """Imports the libraries and fits a handful of rows once a process, so that no trial pays for either."""
        for library in cls.requires:
            importlib.import_module(library)
        if (cls.__name__, job.task) not in cls._is_warm:
            rng = np.random.default_rng(0)
            X = rng.normal(size=(64, 2, 3)).astype(np.float32)
            y = np.arange(64.0) % (job.n_classes if job.is_classification else 7)
            model = cls({}, job)
            model.fit(Samples(X, y, np.repeat(np.arange(8), 8)))
            model.predict(X)
            cls._is_warm.add((cls.__name__, job.task))

    @abstractmethod
    def _fit(self, X: FloatArray, y: FloatArray, group: IntArray) -> None:
        """Learns from `X` (n, window, n_features), `y` (n,), `group` (n,)."""

    @abstractmethod
    def _predict(self, X: FloatArray) -> Prediction:
        """Predictions for `X`: (n, window, n_features)."""
