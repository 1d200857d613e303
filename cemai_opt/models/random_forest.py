"""A forest of decision trees on bootstrap samples."""

from __future__ import annotations

from typing import Any, ClassVar

from cemai_opt.core.hyperparameters import Hyperparameter, real
from cemai_opt.models._forest import ForestModel, tree_hyperparameters


class RandomForest(ForestModel):
    """Random forest (scikit-learn)."""

    cost_rank = 50
    design: ClassVar = {"combine.fraction": 0.5}

    @classmethod
    def hyperparameters(cls, task: str) -> tuple[Hyperparameter, ...]:
        """`max_samples` is the share of rows that each tree is trained on: fewer is greener."""
        return (*tree_hyperparameters(task), real("max_samples", 0.05, high=1.0, default=1.0, log=True))

    @classmethod
    def _kinds(cls) -> tuple[Any, Any]:
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        return RandomForestRegressor, RandomForestClassifier
