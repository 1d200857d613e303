"""Logistic regression: the linear model whose scores are probabilities."""

from __future__ import annotations

from typing import Any, ClassVar

from cemai_opt.core.hyperparameters import Hyperparameter, integer, real
from cemai_opt.models._linear import LinearModel
from cemai_opt.models._model import class_weight


class Logistic(LinearModel):
    """Logistic regression with an L2 penalty, for classifications (scikit-learn)."""

    tasks: ClassVar = ("classification",)
    cost_rank = 12

    @classmethod
    def hyperparameters(cls, task: str) -> tuple[Hyperparameter, ...]:
        """Names and defaults are those of the library; `C` is the inverse of the strength of the penalty."""
        return (
            real("C", 1e-4, high=1e3, default=1.0, log=True),
            integer("max_iter", 20, high=500, default=100, log=True, searched=False),
            *class_weight(task),
        )

    def _estimator(self) -> Any:
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(**self.library_params, random_state=self.task.seed)
