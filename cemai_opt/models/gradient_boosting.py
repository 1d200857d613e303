"""Boosted trees over histograms of the features."""

from __future__ import annotations

from typing import Any

from cemai_opt.core.genes import Gene, integer, real
from cemai_opt.models._estimator import EstimatorModel
from cemai_opt.models._model import SCALING_IS_NOTHING_TO_A_TREE


class GradientBoosting(EstimatorModel):
    """Histogram gradient boosting (scikit-learn)."""

    requires = ("sklearn",)
    cost_rank = 40
    pins = SCALING_IS_NOTHING_TO_A_TREE

    @classmethod
    def genes(cls, task: str) -> tuple[Gene, ...]:
        """The library's own names and defaults."""
        return (
            integer("max_iter", 10, 500, 100, log=True),
            real("learning_rate", 0.01, 0.5, 0.1, log=True),
            integer("max_leaf_nodes", 4, 128, 31, log=True),
            integer("min_samples_leaf", 5, 512, 20, log=True, unit="rows"),
            real("l2_regularization", 0.0, 10.0, 0.0),
            real("max_features", 0.1, 1.0, 1.0),
        )

    def _estimator(self) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        kind = HistGradientBoostingClassifier if self.job.is_classification else HistGradientBoostingRegressor
        # The library's early stopping holds out shuffled rows, which says nothing about unseen groups.
        return kind(**self.params, early_stopping=False, random_state=self.job.seed)
