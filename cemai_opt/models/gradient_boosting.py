"""Boosted trees over histograms of the features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.core.genes import Gene, integer, real
from cemai_opt.models._estimator import EstimatorModel
from cemai_opt.models._model import SCALING_IS_NOTHING_TO_A_TREE


class GradientBoosting(EstimatorModel):
    """Histogram gradient boosting (scikit-learn)."""

    requires = ("sklearn",)
    cost_rank = 40
    trusted: ClassVar = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)
    pins = SCALING_IS_NOTHING_TO_A_TREE
    grows_by = "max_iter"

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
        if self._watch is not None:
            kind = _watched(kind, self._goes_on)
        # The library's early stopping holds out shuffled rows, which says nothing about unseen groups.
        return kind(**self.params, early_stopping=False, random_state=self.job.seed)

    def _learn(self, X: FloatArray, y: FloatArray | IntArray) -> None:
        try:
            self._fitted.fit(X, y)
        except _EnoughError:
            self._fitted._in_fit = False


class _EnoughError(Exception):
    """Leaves the library's training loop; the rounds so far are a whole model."""


def _watched(kind: Any, goes_on: Callable[[int], bool]) -> Any:
    """The estimator, asking before each round whether it goes on.

    The library has no callback, and warm starts would bin all rows anew at each checkpoint. But it asks its loss for
    gradients once a round. `_get_loss` and `_in_fit` are its own names: tests/contracts sees it when they change.
    """

    class _Watched(kind):  # type: ignore[misc]  # scikit-learn ships no types
        def _get_loss(self, sample_weight: Any) -> Any:
            loss, rounds = super()._get_loss(sample_weight), 0

            def counted(gradients: Callable[..., Any]) -> Callable[..., Any]:
                def asked(*args: Any, **kwargs: Any) -> Any:
                    nonlocal rounds
                    self._in_fit = False
                    if rounds and not goes_on(rounds):
                        raise _EnoughError
                    self._in_fit, rounds = True, rounds + 1
                    return gradients(*args, **kwargs)

                return asked

            loss.gradient, loss.gradient_hessian = counted(loss.gradient), counted(loss.gradient_hessian)
            return loss

    return _Watched
