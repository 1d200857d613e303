"""Gradient-boosted trees on histograms of the features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.core.hyperparameters import Hyperparameter, integer, real
from cemai_opt.models._estimator import EstimatorModel
from cemai_opt.models._model import NO_SCALING, class_weight


class GradientBoosting(EstimatorModel):
    """Histogram gradient boosting (scikit-learn)."""

    requires = ("sklearn",)
    cost_rank = 40
    is_bounded = has_tree_shap = True
    explained_with: ClassVar[tuple[str, ...]] = ("shap",)
    trusted: ClassVar = (
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        *("functools.partial", "sklearn.utils.validation.check_array"),  # of its preparation of categories
    )
    pins = NO_SCALING
    grows_by = "max_iter"
    knows_categories = True

    @classmethod
    def hyperparameters(cls, task: str) -> tuple[Hyperparameter, ...]:
        """Names and defaults are those of the library."""
        return (
            integer("max_iter", 10, high=500, default=100, log=True),
            real("learning_rate", 0.01, high=0.5, default=0.1, log=True),
            integer("max_leaf_nodes", 4, high=128, default=31, log=True),
            integer("min_samples_leaf", 5, high=512, default=20, log=True, unit="rows"),
            real("l2_regularization", 0.0, high=10.0, default=0.0),
            real("max_features", 0.1, high=1.0, default=1.0),
            *class_weight(task),
        )

    def _estimator(self) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        kind = HistGradientBoostingClassifier if self.task.is_classification else HistGradientBoostingRegressor
        if self._on_checkpoint is not None:
            kind = _with_checkpoints(kind, self._goes_on)
        # The library's early stopping holds out shuffled rows, whose score is not representative of unseen groups.
        return kind(
            **self.library_params,
            early_stopping=False,
            random_state=self.task.seed,
            categorical_features=self._categorical or None,
        )

    def _fit_estimator(self, X: FloatArray, y: FloatArray | IntArray, *, weight: FloatArray | None) -> None:
        try:
            self._fitted.fit(X, y, weight)
        except _EnoughError:
            self._fitted._in_fit = False


class _EnoughError(Exception):
    """Ends the library's training loop; the rounds so far are a valid model."""


def _with_checkpoints(kind: Any, goes_on: Callable[[int], bool]) -> Any:
    """The estimator class with a callback that is called before each round.

    The library has no callbacks, and warm starts would bin all rows again at each checkpoint. But it computes gradients
    of its loss once per round. `_get_loss` and `_in_fit` are private names, which tests/contracts checks.
    """

    class _WithCheckpoints(kind):  # type: ignore[misc]  # scikit-learn ships no types
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

    return _WithCheckpoints
