"""The base class of models with scikit-learn's interface; their input is one flat row per window."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, Prediction
from cemai_opt.core.errors import StudyError
from cemai_opt.models._model import Model
from cemai_opt.models._trees import check_trees

if TYPE_CHECKING:
    from cemai_opt.models._onnx import FlatInput

FILE = "model.skops"


class EstimatorModel(Model):
    """A model that wraps an estimator. Subclasses implement `hyperparameters` and `_estimator`.

    `trusted` are the types that its saved form may contain in addition to those that skops trusts by default.
    """

    trusted: ClassVar[tuple[str, ...]] = ()
    has_tree_shap: ClassVar[bool] = False
    """Whether it consists of trees whose inputs are the values of a window: these have exact Shapley values."""

    @abstractmethod
    def _estimator(self) -> Any:
        """The unfitted estimator for `self.task` with `self.params`."""

    def _fit(self, X: FloatArray, y: FloatArray, *, group: IntArray) -> None:
        self._categorical = self.categorical(X.shape[1], X.shape[2])
        self._fitted = self._estimator()
        if self.task.is_classification:
            self._seen, codes = np.unique(y.astype(np.int64), return_inverse=True)
            if len(self._seen) > 1:  # some libraries refuse to fit a single class
                self._fit_estimator(self._training_flat(X), codes, weight=self.row_weights(codes))
        else:
            self._fit_estimator(self._training_flat(X), y, weight=None)

    def _fit_estimator(self, X: FloatArray, y: FloatArray | IntArray, *, weight: FloatArray | None) -> None:
        """Fits the estimator; `X`: (n, n_flat), `weight`: (n,) or None. Models with `grows_by` override it."""
        self._fitted.fit(X, y, **({} if weight is None else {"sample_weight": weight}))

    def _why_not_partial_fit(self, y: FloatArray) -> str:
        if self.task.is_classification and (len(self._seen) < 2 or not np.isin(y, self._seen).all()):
            return "the new rows have a class that it has not seen"
        return ""

    def _predict(self, X: FloatArray) -> Prediction:
        if not self.task.is_classification:
            return Prediction(self._values(self._flat(X)))
        by_seen = self._class_scores(self._flat(X))
        lowest = by_seen.min(axis=1, initial=0.0, keepdims=True)  # not above any class seen in training
        by_class = np.repeat(lowest, self.task.n_classes, axis=1)
        by_class[:, self._seen] = by_seen
        return Prediction(self._seen[by_seen.argmax(axis=1)].astype(np.float64), by_class)

    def _shapley_values(self, X: FloatArray, *, background: FloatArray) -> FloatArray | None:
        if not self.has_tree_shap or (self.task.is_classification and len(self._seen) == 1):
            return None
        values = self._tree_shap(self._flat(X))
        return None if values is None else values.reshape(*X.shape, -1)

    def _tree_shap(self, X: FloatArray) -> FloatArray | None:
        """Shapley values of the estimator's inputs `X` (n, n_flat): (n, n_flat, n_outputs)."""
        from cemai_opt.models._shapley import of_trees

        return None if self._categorical else of_trees(self._fitted, X)  # shap cannot follow splits by categories

    def _values(self, X: FloatArray) -> FloatArray:
        """Predicted numbers: (n,)."""
        return np.asarray(self._fitted.predict(X), np.float64)

    def _class_scores(self, X: FloatArray) -> FloatArray:
        """Scores of the classes seen in training: (n, n_seen)."""
        if len(self._seen) == 1:
            return np.ones((len(X), 1))
        if hasattr(self._fitted, "predict_proba"):
            return np.asarray(self._fitted.predict_proba(X), np.float64)
        margin = np.asarray(self._fitted.decision_function(X), np.float64)
        return margin if margin.ndim == 2 else np.column_stack([-margin, margin])

    def _write(self, folder: Path) -> dict[str, Any]:
        import skops.io

        if self.task.is_classification and len(self._seen) == 1:
            return {"seen": self._seen.tolist(), "file": None}
        skops.io.dump(self._fitted, folder / FILE)
        return {"seen": self._seen.tolist() if self.task.is_classification else None, "file": FILE}

    def _read(self, folder: Path, state: Mapping[str, Any]) -> None:
        import skops.io

        if state["seen"] is not None:
            self._seen = np.asarray(state["seen"], np.int64)
        if state["file"] is not None:
            unknown = set(skops.io.get_untrusted_types(file=folder / FILE)) - set(self.trusted)
            if unknown:
                raise StudyError(
                    f"{folder / FILE} holds {', '.join(sorted(unknown))}", "it was not written by `export`"
                )
            self._fitted = skops.io.load(folder / FILE, trusted=list(self.trusted))
            check_trees(self._fitted)

    def _onnx(self, window: int, n_features: int) -> Any:
        from cemai_opt.models._onnx import constant

        x = self._flat_input(window, n_features)
        seen = self._seen if self.task.is_classification else None
        if seen is not None and len(seen) == 1:
            return constant(seen, self.task.n_classes, x=x)
        return self._graph(seen, x)

    def _graph(self, seen: IntArray | None, x: FlatInput) -> Any:
        """The fitted estimator as an ONNX graph; `seen` are the classes seen in training, None for a regression."""
        from cemai_opt.models._onnx import converted_estimator

        return converted_estimator(self._fitted, seen, n_classes=self.task.n_classes, x=x)

    def _flat(self, X: FloatArray) -> FloatArray:
        """The estimator's input, by default `(n, window * n_features)`, time-major, without a copy."""
        return X.reshape(len(X), -1)

    def _training_flat(self, X: FloatArray) -> FloatArray:
        """What the estimator is fitted on: the same, unless a model says otherwise."""
        return self._flat(X)

    def _flat_input(self, window: int, n_features: int) -> FlatInput:
        """The same for ONNX."""
        from cemai_opt.models._onnx import FlatInput

        return FlatInput(window=window, n_features=n_features)
