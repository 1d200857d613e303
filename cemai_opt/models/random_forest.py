"""A forest of decision trees on bootstrap samples."""

from __future__ import annotations

from typing import Any, ClassVar

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.core.genes import Gene, choice, integer, real
from cemai_opt.models._estimator import EstimatorModel
from cemai_opt.models._model import SCALING_IS_NOTHING_TO_A_TREE

FEATURES_OF_A_SPLIT: dict[str, str | float] = {"all": 1.0, "half": 0.5, "quarter": 0.25, "sqrt": "sqrt"}


class RandomForest(EstimatorModel):
    """Random forest (scikit-learn)."""

    requires = ("sklearn",)
    cost_rank = 50
    grows_by = "n_estimators"
    design: ClassVar = {"combine.fraction": 0.5}
    trusted: ClassVar = ("sklearn.tree._tree.Tree",)
    pins = SCALING_IS_NOTHING_TO_A_TREE

    @classmethod
    def genes(cls, task: str) -> tuple[Gene, ...]:
        """`max_samples` is the share of rows that each tree sees: fewer is greener."""
        library_default = "sqrt" if task == "classification" else "all"
        return (
            integer("n_estimators", 10, 300, 100, log=True),
            integer("max_depth", 2, 64, 64, log=True),
            integer("min_samples_leaf", 1, 256, 1, log=True, unit="rows"),
            choice("max_features", tuple(FEATURES_OF_A_SPLIT), library_default),
            real("max_samples", 0.05, 1.0, 1.0, log=True),
        )

    def _estimator(self) -> Any:
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        kind = RandomForestClassifier if self.job.is_classification else RandomForestRegressor
        max_features = FEATURES_OF_A_SPLIT[str(self.params["max_features"])]
        params = {**self.params, "max_features": max_features}
        return kind(**params, n_jobs=self.job.threads, random_state=self.job.seed)

    def _learn(self, X: FloatArray, y: FloatArray | IntArray) -> None:
        """Adds trees to the forest in steps where it is watched; scikit-learn then grows the same trees."""
        full = int(self.params["n_estimators"])
        self._fitted.set_params(warm_start=self._watch is not None)
        for size in (*self.checkpoints(), full) if self._watch is not None else (full,):
            self._fitted.set_params(n_estimators=size).fit(X, y)
            if not self._goes_on(size):
                break
        self._fitted.set_params(n_jobs=1)  # threads add the trees' answers up in the order in which they come
