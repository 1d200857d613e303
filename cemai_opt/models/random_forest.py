"""A forest of decision trees on bootstrap samples."""

from __future__ import annotations

from typing import Any, ClassVar

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.core.hyperparameters import Hyperparameter, choice, integer, real
from cemai_opt.models._estimator import EstimatorModel
from cemai_opt.models._model import NO_SCALING

FEATURES_OF_A_SPLIT: dict[str, str | float] = {"all": 1.0, "half": 0.5, "quarter": 0.25, "sqrt": "sqrt"}


class RandomForest(EstimatorModel):
    """Random forest (scikit-learn)."""

    requires = ("sklearn",)
    cost_rank = 50
    grows_by = "n_estimators"
    design: ClassVar = {"combine.fraction": 0.5}
    trusted: ClassVar = ("sklearn.tree._tree.Tree",)
    pins = NO_SCALING

    @classmethod
    def hyperparameters(cls, task: str) -> tuple[Hyperparameter, ...]:
        """`max_samples` is the share of rows that each tree is trained on: fewer is greener."""
        library_default = "sqrt" if task == "classification" else "all"
        return (
            integer("n_estimators", 10, high=300, default=100, log=True),
            integer("max_depth", 2, high=64, default=64, log=True),
            integer("min_samples_leaf", 1, high=256, default=1, log=True, unit="rows"),
            choice("max_features", tuple(FEATURES_OF_A_SPLIT), default=library_default),
            real("max_samples", 0.05, high=1.0, default=1.0, log=True),
        )

    def _estimator(self) -> Any:
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        kind = RandomForestClassifier if self.task.is_classification else RandomForestRegressor
        max_features = FEATURES_OF_A_SPLIT[str(self.params["max_features"])]
        params = {**self.params, "max_features": max_features}
        return kind(**params, n_jobs=self.task.threads, random_state=self.task.seed)

    def _fit_estimator(self, X: FloatArray, y: FloatArray | IntArray) -> None:
        """With checkpoints, trees are added in steps (warm start), which gives the same trees as a single fit."""
        full = int(self.params["n_estimators"])
        self._fitted.set_params(warm_start=self._on_checkpoint is not None)
        for size in (*self.checkpoints(), full) if self._on_checkpoint is not None else (full,):
            self._fitted.set_params(n_estimators=size).fit(X, y)
            if not self._goes_on(size):
                break
        self._fitted.set_params(n_jobs=1)  # with threads, the order in which trees are summed up is not deterministic
