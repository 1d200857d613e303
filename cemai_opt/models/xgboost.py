"""XGBoost."""

from __future__ import annotations

from typing import Any

from cemai_opt.core.genes import Gene, integer, real
from cemai_opt.models._estimator import EstimatorModel
from cemai_opt.models._model import SCALING_IS_NOTHING_TO_A_TREE


class XGBoost(EstimatorModel):
    """Extreme gradient boosting (xgboost)."""

    requires = ("xgboost",)
    cost_rank = 30
    pins = SCALING_IS_NOTHING_TO_A_TREE

    @classmethod
    def genes(cls, task: str) -> tuple[Gene, ...]:
        """The library's own names and defaults."""
        return (
            integer("n_estimators", 10, 500, 100, log=True),
            integer("max_depth", 1, 12, 6),
            real("learning_rate", 0.01, 1.0, 0.3, log=True),
            real("min_child_weight", 1.0, 256.0, 1.0, log=True),
            real("subsample", 0.2, 1.0, 1.0),
            real("colsample_bytree", 0.2, 1.0, 1.0),
            real("reg_lambda", 0.01, 100.0, 1.0, log=True),
        )

    def _estimator(self) -> Any:
        import xgboost

        kind = xgboost.XGBClassifier if self.job.is_classification else xgboost.XGBRegressor
        return kind(
            **self.params,
            tree_method="hist",
            device=self.job.device,
            n_jobs=self.job.threads,
            random_state=self.job.seed,
            verbosity=0,
        )
