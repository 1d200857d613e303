"""A forest of decision trees whose thresholds are drawn at random, which makes a split much cheaper."""

from __future__ import annotations

from typing import Any

from cemai_opt.core.hyperparameters import Hyperparameter
from cemai_opt.models._forest import ForestModel, tree_hyperparameters


class ExtraTrees(ForestModel):
    """Extremely randomised trees (scikit-learn; Geurts et al. (2006), Machine Learning 63)."""

    cost_rank = 35

    @classmethod
    def hyperparameters(cls, task: str) -> tuple[Hyperparameter, ...]:
        """Every tree is trained on all rows, as is the library's default."""
        return tree_hyperparameters(task)

    @classmethod
    def _kinds(cls) -> tuple[Any, Any]:
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

        return ExtraTreesRegressor, ExtraTreesClassifier
