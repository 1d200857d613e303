"""The base class of gradient boosting by libraries with a booster of their own: trained, predicted and saved by it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.models._estimator import EstimatorModel
from cemai_opt.models._model import NO_SCALING
from cemai_opt.models._onnx import FlatInput


class BoosterModel(EstimatorModel):
    """A booster. Subclasses implement `_fit_estimator`, `_output`, `_write_booster`, `_read_booster`, `_booster_onnx`.

    The libraries' scikit-learn estimators train the same trees, but cannot predict during training.
    """

    pins = NO_SCALING
    grows_by = "n_estimators"

    @abstractmethod
    def _output(self, X: FloatArray) -> FloatArray:
        """Predicted numbers (n,), or scores of the seen classes: (n,) of the second of two, (n, n_seen) of more."""

    @abstractmethod
    def _write_booster(self, folder: Path) -> str:
        """Writes the booster into `folder` in the library's own format; returns the name of the file."""

    @abstractmethod
    def _read_booster(self, file: Path) -> None:
        """Restores what `_write_booster` wrote."""

    @abstractmethod
    def _booster_onnx(self, seen: IntArray | None, x: FlatInput) -> Any:
        """The booster as an ONNX graph; `seen` are the classes seen in training, None for a regression."""

    def _estimator(self) -> Any:
        """None: `_fit_estimator` creates the booster."""
        return None

    def _values(self, X: FloatArray) -> FloatArray:
        return self._output(X)

    def _class_scores(self, X: FloatArray) -> FloatArray:
        if len(self._seen) == 1:
            return np.ones((len(X), 1))
        scores = self._output(X)
        return scores if scores.ndim == 2 else np.column_stack([1.0 - scores, scores])

    def _write(self, folder: Path) -> dict[str, Any]:
        seen = self._seen.tolist() if self.task.is_classification else None
        is_constant = seen is not None and len(seen) == 1
        written = {"seen": seen, "file": None if is_constant else self._write_booster(folder)}
        return written | ({"categorical": self._categorical} if self._categorical else {})

    def _read(self, folder: Path, state: Mapping[str, Any]) -> None:
        self._categorical = list(state.get("categorical", ()))
        if state["seen"] is not None:
            self._seen = np.asarray(state["seen"], np.int64)
        if state["file"] is not None:
            self._read_booster(folder / state["file"])

    def _graph(self, seen: IntArray | None, x: FlatInput) -> Any:
        return self._booster_onnx(seen, x)
