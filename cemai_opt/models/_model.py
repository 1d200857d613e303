"""The base of all models."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, final

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, Job, Prediction, Samples
from cemai_opt.core.genes import Gene, Value
from cemai_opt.core.registry import Part

SCALING_IS_NOTHING_TO_A_TREE: Mapping[str, Value] = {"scale.input": "none", "scale.target": "none"}
"""Splits depend on the order of values alone, so a tree's trial should not pay for scaling."""


class Model(Part, ABC):
    """One kind of model. A part writes `genes`, `_fit` and `_predict`.

    `cost_rank` orders the first trials of a search, cheapest first. `design` sets stage knobs in this model's first
    trials (full gene names). `pins` are stage knobs that mean nothing to this model, with the value they then take.
    """

    cost_rank: ClassVar[int] = 50
    design: ClassVar[Mapping[str, Value]] = {}
    pins: ClassVar[Mapping[str, Value]] = {}

    _is_warm: ClassVar[set[tuple[str, str]]] = set()

    def __init__(self, params: Mapping[str, Value], job: Job) -> None:
        self.job = job
        self.params = {gene.name: params.get(gene.name, gene.default) for gene in self.genes(job.task)}

    @classmethod
    @abstractmethod
    def genes(cls, task: str) -> tuple[Gene, ...]:
        """Hyperparameters for "regression" or "classification"; the defaults are the library's own."""

    @final
    def fit(self, samples: Samples) -> None:
        """Learns from `samples`; the same seed gives the same model."""
        self._fit(samples.X, samples.y, samples.group)

    @final
    def predict(self, X: FloatArray) -> Prediction:
        """Predictions for `X`: (n, window, n_features)."""
        return self._predict(X)

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
