"""The base class of forests of decision trees."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.core.hyperparameters import Hyperparameter, choice, integer
from cemai_opt.models._estimator import EstimatorModel
from cemai_opt.models._model import NO_SCALING, class_weight

FEATURES_OF_A_SPLIT: dict[str, str | float] = {"all": 1.0, "half": 0.5, "quarter": 0.25, "sqrt": "sqrt"}


class ForestModel(EstimatorModel):
    """A forest of scikit-learn that grows tree by tree. Subclasses implement `_kinds` and `hyperparameters`."""

    requires = ("sklearn",)
    grows_by = "n_estimators"
    trusted: ClassVar = ("sklearn.tree._tree.Tree",)
    pins = NO_SCALING
    is_bounded = has_tree_shap = True
    explained_with: ClassVar[tuple[str, ...]] = ("shap",)

    @classmethod
    @abstractmethod
    def _kinds(cls) -> tuple[Any, Any]:
        """The library's classes for regression and for classification."""

    def _estimator(self) -> Any:
        kind = self._kinds()[int(self.task.is_classification)]
        params = {**self.library_params, "max_features": FEATURES_OF_A_SPLIT[str(self.params["max_features"])]}
        return kind(**params, n_jobs=self.task.threads, random_state=self.task.seed)

    def _fit_estimator(self, X: FloatArray, y: FloatArray | IntArray, *, weight: FloatArray | None) -> None:
        """With checkpoints, trees are added in steps (warm start), which gives the same trees as a single fit."""
        full = int(self.params["n_estimators"])
        self._fitted.set_params(warm_start=self._on_checkpoint is not None)
        for size in (*self.checkpoints(), full) if self._on_checkpoint is not None else (full,):
            self._fitted.set_params(n_estimators=size).fit(X, y, weight)
            if not self._goes_on(size):
                break
        self._fitted.set_params(n_jobs=1)  # with threads, the order in which trees are summed up is not deterministic


def tree_hyperparameters(task: str) -> tuple[Hyperparameter, ...]:
    """Hyperparameters that all forests share; the defaults are the library's own."""
    library_default = "sqrt" if task == "classification" else "all"
    return (
        integer("n_estimators", 4, high=300, default=100, log=True),
        integer("max_depth", 2, high=64, default=64, log=True),
        integer("min_samples_leaf", 1, high=256, default=1, log=True, unit="rows"),
        choice("max_features", tuple(FEATURES_OF_A_SPLIT), default=library_default),
        *class_weight(task),
    )
