"""Hyperparameters, search space files, and what is active when."""

from __future__ import annotations

import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.core.hyperparameters import choice, flag, integer, real
from cemai_opt.core.space import MODEL, SearchSpaceSpec
from cemai_opt.search.initial_design import initial_design
from cemai_opt.spaces import build_space

SPACE = build_space(SearchSpaceSpec(), "test", task="regression")


def test_inactive_hyperparameters_leave_no_trace() -> None:
    """Two configurations that differ only in what does not matter are one configuration."""
    a = SPACE.active({MODEL: "ridge", "xgboost.max_depth": 3, "featurize.rolling": "none", "featurize.window_rows": 9})
    b = SPACE.active({MODEL: "ridge", "xgboost.max_depth": 8, "featurize.rolling": "none", "featurize.window_rows": 90})
    assert a == b
    assert a.digest == b.digest
    assert set(a.stages["train"]) == {"model", "alpha"}
    assert "window_rows" not in a.stages["featurize"]


def test_a_model_pins_what_means_nothing_to_it() -> None:
    """Trees are never scaled, whatever the configuration says."""
    config = SPACE.active({MODEL: "decision_tree", "scale.input": "robust"})
    assert config.stages["scale"]["input"] == "none"
    assert not SPACE.is_open("scale.input", {MODEL: "decision_tree"})


@pytest.mark.parametrize("model", SPACE.models)
def test_a_configuration_and_its_genome_are_two_words_for_one_thing(model: str) -> None:
    """From configuration to configuration and back."""
    config = SPACE.active({MODEL: model, "featurize.rolling": "mean"})
    assert SPACE.active(SPACE.params_of(config)) == config


def test_the_first_trials_are_all_models_without_and_with_features_cheapest_first() -> None:
    """Ridge, ridge with features, decision tree, ... LSTM with features."""
    configs = [SPACE.active(params) for params in initial_design(SPACE)]
    assert [c.model for c in configs[::2]] == [
        "ridge", "elastic_net", "spline_ridge", "decision_tree", "nystroem", "xgboost", "lightgbm", "extra_trees",
        "quant", "gradient_boosting", "random_forest", "dnn", "cnn", "lstm",
    ]  # fmt: skip
    assert [c.stages["featurize"]["rolling"] for c in configs] == ["none", "mean_std_range"] * 14


def test_library_defaults_are_the_defaults() -> None:
    """The values that the libraries' own documentation gives."""
    xgboost = SPACE.active({MODEL: "xgboost"}).stages["train"]
    assert (xgboost["n_estimators"], xgboost["max_depth"], xgboost["learning_rate"]) == (100, 6, 0.3)
    assert SPACE.active({MODEL: "ridge"}).stages["train"]["alpha"] == 1.0


def test_a_search_space_narrows_fixes_and_opens() -> None:
    """A value fixes, a list and a range narrow; what was closed may be opened."""
    space_spec = SearchSpaceSpec.parse(
        {
            "models": ["ridge", "xgboost"],
            "skip_stages": ["profile"],
            "hyperparameters": {
                "scale.input": "standard",
                "featurize.rolling": ["none", "mean"],
                "xgboost.max_depth": {"low": 2, "high": 4},
                "clean.correlation_threshold": {"low": 0.9},
            },
        },
        "space.yaml",
    )
    space = build_space(space_spec, "space.yaml", task="regression")
    assert space.models == ("ridge", "xgboost")
    assert "profile" not in space.stages
    assert not space.hyperparameters["scale.input"].searched
    assert space.hyperparameters["featurize.rolling"].choices == ("none", "mean")
    assert space.hyperparameters["xgboost.max_depth"].default == 4
    assert space.hyperparameters["clean.correlation_threshold"].searched


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"model": ["ridge"]}, "unknown key 'model'.*did you mean 'models'"),
        ({"models": ["rigde"]}, "no model called 'rigde'.*ridge"),
        ({"models": []}, "empty list"),
        ({"models": "ridge"}, "not a list"),
        ({"skip_stages": ["train"]}, "'train' cannot be skipped"),
        ({"skip_stages": ["trian"]}, "no stage 'trian'"),
        ({"hyperparameters": {"xgboost.max_deph": 3}}, "no hyperparameter 'xgboost.max_deph'.*max_depth"),
        ({"hyperparameters": {"xgboost.max_depth": {"low": 1, "high": 99}}}, "99 is outside 1 to 12"),
        ({"hyperparameters": {"xgboost.max_depth": {"low": 9, "high": 3}}}, "low 9 is above high 3"),
        ({"hyperparameters": {"xgboost.max_depth": {"lo": 3}}}, "unknown key 'lo'.*low"),
        ({"hyperparameters": {"xgboost.max_depth": 2.5}}, "2.5 is not a whole number"),
        ({"hyperparameters": {"xgboost.max_depth": None}}, "cannot read None"),
        ({"hyperparameters": {"scale.input": ["standard", "log"]}}, "'log' is not one of"),
        ({"hyperparameters": {"scale.input": {"low": 1}}}, "a range for a choice"),
        ({"hyperparameters": {"scale.input": []}}, "empty list of choices"),
        ({"hyperparameters": [1]}, "hyperparameters is not a mapping"),
        ([1, 2], "a search space is a mapping"),
    ],
)
def test_a_wrong_search_space_says_what_is_wrong(document: object, message: str) -> None:
    """Never wider than the parts, never an unknown word."""
    with pytest.raises(StudyError, match=message):
        build_space(SearchSpaceSpec.parse(document, "space.yaml"), "space.yaml", task="regression")


def test_hyperparameters_check_their_values() -> None:
    """Whole numbers stay whole, flags are no numbers, nothing is outside."""
    assert integer("n", 1, high=9, default=3).check(4.0) == 4
    assert isinstance(integer("n", 1, high=9, default=3).check(4.0), int)
    assert flag("on", False).check(True) is True
    for hyperparameter, wrong in (
        (integer("n", 1, high=9, default=3), True),
        (real("r", 0.0, high=1.0, default=0.5), float("nan")),
        (flag("on", False), 1),
        (choice("c", (64, 128), default=64), 65),
    ):
        with pytest.raises(StudyError):
            hyperparameter.check(wrong)


def test_the_key_of_version_0_1_0_is_read() -> None:
    """A search space file of an earlier version goes on to mean the same."""
    narrowed = {"ridge.alpha": 2.0}
    old, new = (SearchSpaceSpec.parse({key: narrowed}, "space.yaml") for key in ("genes", "hyperparameters"))
    assert old == new
