"""LightGBM."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.core.hyperparameters import Hyperparameter, flag, integer, real
from cemai_opt.models._booster import BoosterModel, Start
from cemai_opt.models._model import class_weight
from cemai_opt.models._onnx import FlatInput

FILE = "model.txt"


class LightGBM(BoosterModel):
    """Gradient boosting with leaf-wise trees (LightGBM)."""

    requires = ("lightgbm",)
    cost_rank = 32
    knows_categories = True
    trial: ClassVar = {
        "library": "lightgbm",
        "booster": "booster = library.Booster(model_file=sys.argv[1]); n_features = booster.num_feature()",
        "rows": "numpy.zeros((2, n_features))",
        "split": r"'split_feature': ([0-9]+)",
        "dump": "str(booster.dump_model())",
    }

    @classmethod
    def hyperparameters(cls, task: str) -> tuple[Hyperparameter, ...]:
        """Names and defaults are those of the library. `extra_trees` draws thresholds at random: cheaper, smoother."""
        return (
            integer("n_estimators", 10, high=500, default=100, log=True),
            integer("num_leaves", 4, high=128, default=31, log=True),
            real("learning_rate", 0.01, high=0.5, default=0.1, log=True),
            integer("min_child_samples", 5, high=512, default=20, log=True, unit="rows"),
            real("colsample_bynode", 0.1, high=1.0, default=1.0),
            real("reg_lambda", 0.0, high=10.0, default=0.0),
            flag("extra_trees", False),
            *class_weight(task),
        )

    def _boost(self, X: FloatArray, y: FloatArray | IntArray, *, weight: FloatArray | None, start: Start) -> None:
        import lightgbm

        def checkpoint(env: Any) -> None:
            self._fitted = env.model
            if not self._goes_on(env.iteration + 1):
                raise lightgbm.callback.EarlyStopException(env.iteration, [])

        params = {name: value for name, value in self.library_params.items() if name != "n_estimators"}
        fixed = {"num_threads": self.task.threads, "verbosity": -1, "deterministic": True, "force_row_wise": True}
        self._fitted = lightgbm.train(
            {**params, **fixed, **self._task_params(), "seed": self.task.seed, "extra_seed": self.task.seed},
            lightgbm.Dataset(
                X,
                y,
                weight=weight,
                categorical_feature=self._categorical,
                params={"verbosity": -1, "num_threads": self.task.threads},
            ),
            num_boost_round=start.rounds,
            init_model=start.before,
            callbacks=[checkpoint] if self._on_checkpoint is not None else None,
        )

    def _task_params(self) -> dict[str, Any]:
        """The library's objective; for classification over the classes seen in training."""
        if not self.task.is_classification:
            return {"objective": "regression"}
        if len(self._seen) == 2:
            return {"objective": "binary"}
        return {"objective": "multiclass", "num_class": len(self._seen)}

    def _write_booster(self, folder: Path) -> str:
        self._fitted.save_model(folder / FILE)
        return FILE

    def _read_booster(self, file: Path) -> None:
        import lightgbm

        self._fitted = lightgbm.Booster(model_file=file)

    def _output(self, X: FloatArray) -> FloatArray:
        return np.asarray(self._fitted.predict(X, num_threads=1), np.float64)

    def _contributions(self, X: FloatArray) -> FloatArray:
        found: FloatArray = self._fitted.predict(X, pred_contrib=True, num_threads=1)
        return found.reshape(len(X), -1, X.shape[1] + 1)

    def _booster_onnx(self, seen: IntArray | None, x: FlatInput) -> Any:
        from cemai_opt.models._onnx import converted_lightgbm

        return converted_lightgbm(self._fitted, seen, n_classes=self.task.n_classes, x=x)
