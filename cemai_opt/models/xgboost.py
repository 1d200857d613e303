"""XGBoost."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.core.hyperparameters import Hyperparameter, integer, real
from cemai_opt.models._booster import BoosterModel, Start
from cemai_opt.models._model import class_weight
from cemai_opt.models._onnx import FlatInput

FILE = "model.ubj"


class XGBoost(BoosterModel):
    """Extreme gradient boosting (xgboost)."""

    requires = ("xgboost",)
    cost_rank = 30
    knows_categories = True
    trial: ClassVar = {
        "library": "xgboost",
        "booster": "booster = library.Booster({'nthread': 1}, model_file=sys.argv[1]); "
        "n_features = booster.num_features()",
        "rows": "library.DMatrix(numpy.zeros((2, n_features)), nthread=1)",
        "split": r'"split": "f?([0-9]+)"',
        "dump": "' '.join(booster.get_dump(dump_format='json'))",
    }

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
            real("colsample_bynode", 0.1, high=1.0, default=1.0),
            real("reg_lambda", 0.01, high=100.0, default=1.0, log=True),
            *class_weight(task),
        )

    def _boost(self, X: FloatArray, y: FloatArray | IntArray, *, weight: FloatArray | None, start: Start) -> None:
        import xgboost

        model = self

        class _Checkpoints(xgboost.callback.TrainingCallback):
            def after_iteration(self, booster: Any, epoch: int, evals_log: Any) -> bool:
                model._fitted = booster
                return not model._goes_on(epoch + 1)

        params = {name: value for name, value in self.library_params.items() if name != "n_estimators"}
        fixed = {"tree_method": "hist", "device": self.task.device, "nthread": self.task.threads, "verbosity": 0}
        self._fitted = xgboost.train(
            {**params, **fixed, **self._task_params(), "seed": self.task.seed},
            xgboost.QuantileDMatrix(
                self._without_unknown(X), y, weight=weight, nthread=self.task.threads, **self._types(X.shape[1])
            ),
            num_boost_round=start.rounds,
            xgb_model=start.before,
            callbacks=[_Checkpoints()] if self._on_checkpoint is not None else None,
        )

    def _types(self, n_flat: int) -> dict[str, Any]:
        """Which columns hold categories, if any do."""
        if not self._categorical:
            return {}
        types = ["c" if column in self._categorical else "q" for column in range(n_flat)]
        return {"feature_types": types, "enable_categorical": True}

    def _without_unknown(self, X: FloatArray) -> FloatArray:
        """The columns with NaN for an unknown category, as the library wants it."""
        if not self.gets_categories:
            return X
        X = X.copy()
        codes = X[:, self._categorical]
        X[:, self._categorical] = np.where(codes < 0.0, np.nan, codes)
        return X

    def _task_params(self) -> dict[str, Any]:
        """The library's objective; for classification over the classes seen in training."""
        if not self.task.is_classification:
            return {"objective": "reg:squarederror"}
        if len(self._seen) == 2:
            return {"objective": "binary:logistic"}
        return {"objective": "multi:softprob", "num_class": len(self._seen)}

    def _write_booster(self, folder: Path) -> str:
        self._fitted.save_model(folder / FILE)
        return FILE

    def _read_booster(self, file: Path) -> None:
        import xgboost

        self._fitted = xgboost.Booster({"nthread": self.task.threads}, model_file=file)

    def _output(self, X: FloatArray) -> FloatArray:
        return np.asarray(self._fitted.inplace_predict(self._without_unknown(X)), np.float64)

    def _contributions(self, X: FloatArray) -> FloatArray:
        import xgboost

        rows = xgboost.DMatrix(self._without_unknown(X), nthread=1, **self._types(X.shape[1]))
        found: FloatArray = self._fitted.predict(rows, pred_contribs=True)
        return found

    def _booster_onnx(self, seen: IntArray | None, x: FlatInput) -> Any:
        from cemai_opt.models._onnx import converted_xgboost

        return converted_xgboost(self._fitted, seen, n_classes=self.task.n_classes, x=x)
