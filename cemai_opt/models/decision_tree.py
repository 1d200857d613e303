"""A single decision tree."""

from __future__ import annotations

from typing import Any, ClassVar

from cemai_opt.core.genes import Gene, integer, real
from cemai_opt.models._estimator import EstimatorModel
from cemai_opt.models._model import SCALING_IS_NOTHING_TO_A_TREE


class DecisionTree(EstimatorModel):
    """Decision tree, CART (scikit-learn)."""

    requires = ("sklearn",)
    cost_rank = 20
    trusted: ClassVar = ("sklearn.tree._tree.Tree",)
    pins = SCALING_IS_NOTHING_TO_A_TREE

    @classmethod
    def genes(cls, task: str) -> tuple[Gene, ...]:
        """The library grows without limit; 64 levels are more than a tree of any data here reaches."""
        return (
            integer("max_depth", 2, 64, 64, log=True),
            integer("min_samples_leaf", 1, 512, 1, log=True, unit="rows"),
            real("max_features", 0.1, 1.0, 1.0),
        )

    def _estimator(self) -> Any:
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        kind = DecisionTreeClassifier if self.job.is_classification else DecisionTreeRegressor
        return kind(**self.params, random_state=self.job.seed)
