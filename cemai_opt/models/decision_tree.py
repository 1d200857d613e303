"""A single decision tree."""

from __future__ import annotations

from typing import Any, ClassVar

from cemai_opt.core.hyperparameters import Hyperparameter, integer, real
from cemai_opt.models._estimator import EstimatorModel
from cemai_opt.models._model import NO_SCALING, class_weight


class DecisionTree(EstimatorModel):
    """Decision tree, CART (scikit-learn)."""

    requires = ("sklearn",)
    cost_rank = 20
    is_bounded = has_tree_shap = True
    explained_with: ClassVar[tuple[str, ...]] = ("shap",)
    trusted: ClassVar = ("sklearn.tree._tree.Tree",)
    pins = NO_SCALING

    @classmethod
    def hyperparameters(cls, task: str) -> tuple[Hyperparameter, ...]:
        """The library's default depth is unlimited; 64 levels are more than a tree on any data here reaches."""
        return (
            integer("max_depth", 2, high=64, default=64, log=True),
            integer("min_samples_leaf", 1, high=512, default=1, log=True, unit="rows"),
            real("max_features", 0.1, high=1.0, default=1.0),
            *class_weight(task),
        )

    def _estimator(self) -> Any:
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        kind = DecisionTreeClassifier if self.task.is_classification else DecisionTreeRegressor
        return kind(**self.library_params, random_state=self.task.seed)
