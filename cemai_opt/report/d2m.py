"""A configuration in the layout of d2m, the pipeline that CEMAI measured (github.com/ejhusom/d2m, params.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cemai_opt.core.plan import Config
from cemai_opt.core.spec import StudySpec

METHODS = {
    "decision_tree": "dt",
    "random_forest": "rf",
    "gradient_boosting": "gradientboosting",
    "xgboost": "xgboost",
    "dnn": "dnn",
    "cnn": "cnn",
    "lstm": "rnn",
    "ridge": "ridgeregression",
}
FEATURES = (
    *("sum", "gradient", "mean", "maximum", "minimum", "min_max_range"),
    *("slope", "slope_sin", "slope_cos", "standard_deviation", "variance", "peak_frequency"),
)
ROLLING = {
    "sum": "sum",
    "mean": "mean",
    "max": "maximum",
    "min": "minimum",
    "range": "min_max_range",
    "std": "standard_deviation",
    "var": "variance",
}
"""Our rolling statistics by its names."""
WINDOWS = ("sum", "mean", "max_min", "standard_deviation")


def d2m_params(
    study: StudySpec, target: str, config: Config, variables: tuple[str, ...], made: tuple[str, ...]
) -> tuple[dict[str, Any], list[str]]:
    """The parameters, and what that pipeline has no word for. `made`: kinds of features that the configuration adds."""
    params = config.stages
    train, feature = dict(config.params("train")), config.params("featurize")
    sequence, scale, clean = (config.params(name) for name in ("sequentialize", "scale", "clean"))
    added = {ROLLING.get(kind, kind) for kind in made}
    window = int(feature.get("window_rows", 10))
    model = str(train.pop("model"))
    known = {name: train.pop(name) for name in ("epochs", "patience", "batch_rows", "dropout") if name in train}
    layers, units, kernel = (train.pop(name, None) for name in ("layers", "units", "kernel_size"))
    document = {
        "profile": {"dataset": study.name},
        "clean": {
            "target": target,
            "classification": study.task == "classification",
            "onehot_encode_target": False,
            "combine_files": False,
            "percentage_zeros_threshold": clean.get("zeros_threshold", 1.0),
            "correlation_metric": "pearson",
            "input_max_correlation_threshold": clean.get("correlation_threshold", 1.0),
        },
        "featurize": {
            "variables_to_include": list(variables),
            "use_all_engineered_features_on_all_variables": False,
            **{f"add_{name}": list(variables) if name in added else None for name in FEATURES},
            **{f"rolling_window_size_{name}": window for name in WINDOWS},
            "remove_features": None if feature.get("keep_raw", True) else list(variables),
            "target_min_correlation_threshold": 0.0,
        },
        "split": {
            "train_split": 1.0 - study.split.test_share,
            "shuffle_files": False,
            "shuffle_samples_before_split": study.split.by == "rows",
        },
        "scale": {"input_method": _unless_none(scale.get("input")), "output_method": _unless_none(scale.get("target"))},
        "sequentialize": {
            "window_size": int(sequence.get("window_rows", 1)),
            "overlap": int(sequence.get("window_rows", 1)) - 1,
            "target_size": 1,
            "shuffle_samples": False,
            "future_predict": study.data.horizon > 0,
        },
        "train": {
            "seed": study.seed,
            "learning_method": METHODS.get(model, model),
            "ensemble": False,
            "hyperparameter_tuning": False,
            "n_epochs": known.get("epochs", 800),
            "early_stopping": "patience" in known,
            "patience": known.get("patience", 50),
            "activation_function": "relu",
            "batch_size": known.get("batch_rows", 256),
            "n_layers": layers or 2,
            "n_neurons": [units or 16] * int(layers or 2),
            "dropout": known.get("dropout", 0.1),
            "kernel_size": kernel or 3,
            "unit_type": "LSTM",
        },
        "evaluate": {"performance_metric": study.score, "show_inputs": False},
        "explain": {
            "generate_explanations": True,
            "number_of_background_samples": 10,
            "number_of_summary_samples": 20,
            "explanation_method": "shap",
            "seed": study.seed,
        },
    }
    return document, [*(f"train.{name} = {value}" for name, value in train.items()), *_lost_stages(params, model)]


def _lost_stages(params: Mapping[str, Mapping[str, Any]], model: str) -> list[str]:
    """What this pipeline does and that one cannot be told to do."""
    defaults: dict[str, dict[str, Any]] = {
        "featurize": {"second_window": "none", "since_start": False},
        "sequentialize": {"stride": 1},
        "combine": {"fraction": 1.0},
        "clean": {"missing": "drop"},
    }
    lost = [
        f"{stage}.{name} = {params[stage][name]}"
        for stage, knobs in defaults.items()
        for name, neutral in knobs.items()
        if name in params.get(stage, {}) and params[stage][name] != neutral
    ]
    return lost if model in METHODS else [*lost, f"model {model}"]


def _unless_none(method: Any) -> str | None:
    return None if method in (None, "none") else str(method)
