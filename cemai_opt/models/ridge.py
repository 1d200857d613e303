"""Linear regression with an L2 penalty: the cheap baseline that other models have to beat."""

from __future__ import annotations

from cemai_opt.core.hyperparameters import Hyperparameter, real
from cemai_opt.models._model import class_weight
from cemai_opt.models._ridge import RidgeModel


class Ridge(RidgeModel):
    """Linear model with an L2 penalty (scikit-learn)."""

    cost_rank = 10
    is_additive = True

    @classmethod
    def hyperparameters(cls, task: str) -> tuple[Hyperparameter, ...]:
        """The strength of the penalty."""
        return (real("alpha", 1e-3, high=1e4, default=1.0, log=True), *class_weight(task))
