"""The pipelines of a table of emissions by stage, like that of CEMAI: models in their library-default form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.option import Strict

WITH_FEATURES = " w/FE"
"""Suffix of the label of a model with feature engineering, as in CEMAI's table."""


class TableSpec(Strict):
    """Models by their labels, each without and with feature engineering; all else has its default."""

    models: Mapping[str, str] = Field(
        default={
            "DT": "decision_tree",
            "RF": "random_forest",
            "GB": "gradient_boosting",
            "XGB": "xgboost",
            "DNN": "dnn",
            "CNN": "cnn",
            "LSTM": "lstm",
        },
        min_length=1,
        description="Names of models by their labels, in the order of the table.",
    )
    window_rows: int = Field(
        default=10,
        ge=1,
        description="Rows in a window. With feature engineering only models of sequences get windows.",
    )
    features: Mapping[str, Value] = Field(
        default={"rolling": "all", "window_rows": 30, "trend": "slope_sin_cos"},
        description="Hyperparameters of the stage featurize in the rows with feature engineering.",
    )
    few_rows: float | None = Field(
        default=None,
        gt=0.0,
        lt=1.0,
        description="Share of the training windows in a third row of each model, with feature engineering.",
    )
    explain: Literal["by_model", "permutation"] = Field(
        default="by_model",
        description="Shapley values: tree SHAP for trees and boosters and expected gradients for networks, or "
        "permutations for all models.",
    )
    repeats: int = Field(default=3, ge=1, description="How often each pipeline is measured.")
