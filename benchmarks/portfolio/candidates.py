"""The configurations that a portfolio may hold: a grid over models and features, written down before any data was seen.

Adding what had won in the arena on other data sets made the portfolio worse on those left out: it chose windows and
thinning that suit one data set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.space import MODEL
from cemai_opt.models import MODELS

_BOTH: Mapping[str, Value] = {
    "featurize.rolling": "mean_std_range",
    "featurize.scales": "short_long",
    "featurize.window_rows": 30,
    "featurize.long_rows": 120,
    "featurize.since_start": True,
}
_REGIMES: Mapping[str, Value] = {"featurize.regimes": "kmeans", "featurize.n_regimes": 6}
FEATURES: Mapping[str, Mapping[str, Value]] = {
    "raw": {},
    "rolling": {"featurize.rolling": "mean_std", "featurize.window_rows": 30},
    "long": {**_BOTH, "featurize.rolling": "mean"},
    "both": _BOTH,
    "exponential": {"featurize.exponential": True, "featurize.exponential_rows": 30, "featurize.since_start": True},
    "regimes": {**_BOTH, **_REGIMES},
    "means": {
        "featurize.rolling": "mean",
        "featurize.scales": "short_long",
        "featurize.window_rows": 15,
        "featurize.long_rows": 120,
        "featurize.exponential": True,
        "featurize.exponential_rows": 10,
    },
    "lags": {
        "featurize.rolling": "mean_std_range",
        "featurize.window_rows": 60,
        "featurize.lags": "three",
        "featurize.lag_rows": 30,
    },
    "very_long": {**_BOTH, "featurize.window_rows": 150, "featurize.long_rows": 1500},
}
LIGHTGBM_SMOOTH: Mapping[str, Value] = {
    "lightgbm.n_estimators": 200,
    "lightgbm.learning_rate": 0.05,
    "lightgbm.colsample_bynode": 0.3,
    "lightgbm.min_child_samples": 50,
    "lightgbm.extra_trees": True,
}
XGBOOST_SMOOTH: Mapping[str, Value] = {
    "xgboost.learning_rate": 0.1,
    "xgboost.colsample_bynode": 0.3,
    "xgboost.min_child_weight": 16.0,
}
NYSTROEM_EXACT: Mapping[str, Value] = {"nystroem.alpha": 0.003}
MODEL_VARIANTS: Sequence[Mapping[str, Value]] = (
    {MODEL: "ridge"},
    {MODEL: "spline_ridge"},
    {MODEL: "logistic"},
    {MODEL: "decision_tree"},
    {MODEL: "lightgbm"},
    {MODEL: "lightgbm", **LIGHTGBM_SMOOTH},
    {MODEL: "xgboost"},
    {MODEL: "xgboost", **XGBOOST_SMOOTH},
    {MODEL: "extra_trees"},
    {MODEL: "random_forest"},
    {MODEL: "dnn"},
    {MODEL: "nystroem"},
    {MODEL: "nystroem", **NYSTROEM_EXACT},
    {MODEL: "elastic_net"},
)
THINNED: Mapping[str, Value] = {"sequentialize.stride": 6}
THINNED_MODELS = ("lightgbm", "xgboost", "extra_trees", "random_forest", "dnn")


def candidates() -> list[dict[str, Value]]:
    """Every model with every set of features; trees and networks also on every sixth window.

    Values by full name of their hyperparameter; those that are not named have their defaults.
    """
    found = []
    for variant in MODEL_VARIANTS:
        model = str(variant[MODEL])
        for name, features in FEATURES.items():
            params = {**MODELS.find(model).design, **features, **variant}
            found.append(params)
            if model in THINNED_MODELS and name in ("both", "regimes"):
                found.append({**params, **THINNED})
    return found
