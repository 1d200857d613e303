"""XGBoost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.core.hyperparameters import Hyperparameter, integer, real
from cemai_opt.models._estimator import EstimatorModel
from cemai_opt.models._model import NO_SCALING

FILE = "model.ubj"


class XGBoost(EstimatorModel):
    """Extreme gradient boosting (xgboost)."""

    requires = ("xgboost",)
    cost_rank = 30
    pins = NO_SCALING
    grows_by = "n_estimators"

    @classmethod
    def hyperparameters(cls, task: str) -> tuple[Hyperparameter, ...]:
        """Names and defaults are those of the library."""
        return (
            integer("n_estimators", 10, high=500, default=100, log=True),
            integer("max_depth", 1, high=12, default=6),
            real("learning_rate", 0.01, high=1.0, default=0.3, log=True),
            real("min_child_weight", 1.0, high=256.0, default=1.0, log=True),
            real("subsample", 0.2, high=1.0, default=1.0),
            real("colsample_bytree", 0.2, high=1.0, default=1.0),
            real("reg_lambda", 0.01, high=100.0, default=1.0, log=True),
        )

    def _estimator(self) -> Any:
        """None: the library's scikit-learn estimators train the same trees, but cannot predict during training."""
        return None

    def _fit_estimator(self, X: FloatArray, y: FloatArray | IntArray) -> None:
        import xgboost

        model = self

        class _Checkpoints(xgboost.callback.TrainingCallback):
            def after_iteration(self, booster: Any, epoch: int, evals_log: Any) -> bool:
                model._fitted = booster
                return not model._goes_on(epoch + 1)

        params = {name: value for name, value in self.params.items() if name != "n_estimators"}
        fixed = {"tree_method": "hist", "device": self.task.device, "nthread": self.task.threads, "verbosity": 0}
        self._fitted = xgboost.train(
            {**params, **fixed, **self._task_params(), "seed": self.task.seed},
            xgboost.QuantileDMatrix(X, y, nthread=self.task.threads),
            num_boost_round=int(self.params["n_estimators"]),
            callbacks=[_Checkpoints()] if self._on_checkpoint is not None else None,
        )

    def _task_params(self) -> dict[str, Any]:
        """The library's objective; for classification over the classes seen in training."""
        if not self.task.is_classification:
            return {"objective": "reg:squarederror"}
        if len(self._seen) == 2:
            return {"objective": "binary:logistic"}
        return {"objective": "multi:softprob", "num_class": len(self._seen)}

    def _write(self, folder: Path) -> dict[str, Any]:
        seen = self._seen.tolist() if self.task.is_classification else None
        if seen is not None and len(seen) == 1:
            return {"seen": seen, "file": None}
        self._fitted.save_model(folder / FILE)
        return {"seen": seen, "file": FILE}

    def _read(self, folder: Path, state: Mapping[str, Any]) -> None:
        import xgboost

        if state["seen"] is not None:
            self._seen = np.asarray(state["seen"], np.int64)
        if state["file"] is not None:
            self._fitted = xgboost.Booster({"nthread": self.task.threads}, model_file=folder / FILE)

    def _onnx(self, window: int, n_features: int) -> Any:
        from cemai_opt.models._onnx import constant, converted_booster

        if self.task.is_classification and len(self._seen) == 1:
            return constant(self._seen, self.task.n_classes, window=window, n_features=n_features)
        seen = self._seen if self.task.is_classification else None
        return converted_booster(
            self._fitted, seen, n_classes=self.task.n_classes, window=window, n_features=n_features
        )

    def _output(self, X: FloatArray) -> FloatArray:
        return np.asarray(self._fitted.inplace_predict(X), np.float64)

    def _values(self, X: FloatArray) -> FloatArray:
        return self._output(X)

    def _class_scores(self, X: FloatArray) -> FloatArray:
        if len(self._seen) == 1:
            return np.ones((len(X), 1))
        scores = self._output(X)
        return scores if scores.ndim == 2 else np.column_stack([1.0 - scores, scores])
