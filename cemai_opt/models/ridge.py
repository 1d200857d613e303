"""Linear regression with an L2 penalty: the cheap baseline that other models have to beat."""

from __future__ import annotations

from typing import Any

from cemai_opt.core.hyperparameters import Hyperparameter, real
from cemai_opt.models._linear import LinearModel
from cemai_opt.models._model import class_weight


class Ridge(LinearModel):
    """Linear model with an L2 penalty (scikit-learn)."""

    cost_rank = 10
    is_additive = True

    @classmethod
    def hyperparameters(cls, task: str) -> tuple[Hyperparameter, ...]:
        """The strength of the penalty."""
        return (real("alpha", 1e-3, high=1e4, default=1.0, log=True), *class_weight(task))

    def _estimator(self) -> Any:
        from sklearn.linear_model import Ridge, RidgeClassifier

        kind = RidgeClassifier if self.task.is_classification else Ridge
        return kind(**self.library_params, random_state=self.task.seed)
