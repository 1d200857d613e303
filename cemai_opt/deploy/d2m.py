"""A configuration in the layout of d2m, the pipeline that CEMAI measured (github.com/ejhusom/d2m, params.yaml)."""

from __future__ import annotations

from typing import Any

from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.plan import Config
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.stages import STAGES
from cemai_opt.stages.scale import LOG

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
"""Names of rolling statistics in d2m."""
LOST_FEATURES = ("regimes", "scales", "exponential", "lags", "since_start", "bands")
"""Hyperparameters of `featurize` that d2m does not know; their defaults add nothing."""
WINDOWS = ("sum", "mean", "max_min", "standard_deviation")


def d2m_params(
    study: ResolvedStudy, config: Config, *, target: str, variables: tuple[str, ...], added: tuple[str, ...]
) -> tuple[dict[str, Any], list[str]]:
    """The parameters for d2m, and what it cannot express. `added`: kinds of features that the configuration adds."""
    train = dict(config.params("train"))
    model = str(train.pop("model"))
    train_section = _train_section(study, model, train=train)
    document = {
        "profile": {"dataset": study.name},
        "clean": _clean_section(study, config, target=target),
        "featurize": _featurize_section(config, variables, added=added),
        "split": {
            "train_split": 1.0 - study.split.test_share,
            "shuffle_files": False,
            "shuffle_samples_before_split": study.split.by == "rows",
        },
        "scale": {
            "input_method": _unless_none(config.params("scale").get("input")),
            "output_method": _unless_none(config.params("scale").get("target")),
        },
        "sequentialize": _sequentialize_section(study, config),
        "train": train_section,
        "evaluate": {"performance_metric": study.score, "show_inputs": False},
        "explain": {
            "generate_explanations": True,
            "number_of_background_samples": 10,
            "number_of_summary_samples": 20,
            "explanation_method": "shap",
            "seed": study.seed,
        },
    }
    return document, [*(f"train.{name} = {value}" for name, value in train.items()), *_lost_stages(config, model)]


def _clean_section(study: ResolvedStudy, config: Config, *, target: str) -> dict[str, Any]:
    clean = config.params("clean")
    return {
        "target": target,
        "classification": study.task == "classification",
        "onehot_encode_target": False,
        "combine_files": False,
        "percentage_zeros_threshold": clean.get("zeros_threshold", 1.0),
        "correlation_metric": "pearson",
        "input_max_correlation_threshold": clean.get("correlation_threshold", 1.0),
    }


def _featurize_section(config: Config, variables: tuple[str, ...], *, added: tuple[str, ...]) -> dict[str, Any]:
    feature = config.params("featurize")
    names = {ROLLING.get(kind, kind) for kind in added}
    window = int(feature.get("window_rows", 10))
    return {
        "variables_to_include": list(variables),
        "use_all_engineered_features_on_all_variables": False,
        **{f"add_{name}": list(variables) if name in names else None for name in FEATURES},
        **{f"rolling_window_size_{name}": window for name in WINDOWS},
        "remove_features": None if feature.get("keep_raw", True) else list(variables),
        "target_min_correlation_threshold": 0.0,
    }


def _sequentialize_section(study: ResolvedStudy, config: Config) -> dict[str, Any]:
    window = int(config.params("sequentialize").get("window_rows", 1))
    return {
        "window_size": window,
        "overlap": window - 1,
        "target_size": 1,
        "shuffle_samples": False,
        "future_predict": study.data.horizon > 0,
    }


def _train_section(study: ResolvedStudy, model: str, *, train: dict[str, Value]) -> dict[str, Any]:
    """The section `train`; removes the hyperparameters that it can express from the argument `train`."""
    known = {name: train.pop(name) for name in ("epochs", "patience", "batch_rows", "dropout") if name in train}
    layers, units, kernel = (train.pop(name, None) for name in ("layers", "units", "kernel_size"))
    return {
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
    }


def _lost_stages(config: Config, model: str) -> list[str]:
    """What d2m cannot express of this configuration."""
    featurize = STAGES.find("featurize")
    defaults = {h.name: h.default for h in featurize.hyperparameters()}
    neutral: dict[str, dict[str, Any]] = {
        "featurize": {name: defaults[name] for name in LOST_FEATURES},
        "sequentialize": {"stride": 1},
        "combine": {"fraction": 1.0},
        "clean": {"missing": "drop"},
    }
    chosen = {stage: STAGES.find(stage).upgraded(config.params(stage)) for stage in neutral}
    lost = [
        f"{stage}.{name} = {chosen[stage][name]}"
        for stage, values in neutral.items()
        for name, value in values.items()
        if name in chosen[stage] and chosen[stage][name] != value
    ]
    if chosen["featurize"].get("trend") == "difference":
        lost.append("featurize.trend = difference")
    if config.params("scale").get("target") == LOG:
        lost.append(f"scale.target = {LOG}")
    return lost if model in METHODS else [*lost, f"model {model}"]


def _unless_none(method: Any) -> str | None:
    return None if method in (None, "none", LOG) else str(method)
