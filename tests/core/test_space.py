"""Genes, lenses, and what is active when."""

from __future__ import annotations

import pytest

from cemai_opt.compose import build_space
from cemai_opt.core.errors import StudyError
from cemai_opt.core.genes import choice, flag, integer, real
from cemai_opt.core.space import MODEL, Lens
from cemai_opt.search.design import initial_design

SPACE = build_space(Lens(), "test", "regression")


def test_inactive_genes_leave_no_trace() -> None:
    """Two genomes that differ only in what does not matter are one configuration."""
    a = SPACE.active({MODEL: "ridge", "xgboost.max_depth": 3, "featurize.rolling": "none", "featurize.window_rows": 9})
    b = SPACE.active({MODEL: "ridge", "xgboost.max_depth": 8, "featurize.rolling": "none", "featurize.window_rows": 90})
    assert a == b
    assert a.digest == b.digest
    assert set(a.stages["train"]) == {"model", "alpha"}
    assert "window_rows" not in a.stages["featurize"]


def test_a_model_pins_what_means_nothing_to_it() -> None:
    """Trees are never scaled, whatever the genome says."""
    config = SPACE.active({MODEL: "decision_tree", "scale.input": "robust"})
    assert config.stages["scale"]["input"] == "none"
    assert not SPACE.is_open("scale.input", {MODEL: "decision_tree"})


@pytest.mark.parametrize("model", SPACE.models)
def test_a_configuration_and_its_genome_are_two_words_for_one_thing(model: str) -> None:
    """From genome to configuration and back."""
    config = SPACE.active({MODEL: model, "featurize.rolling": "mean"})
    assert SPACE.active(SPACE.genome_of(config)) == config


def test_the_first_trials_are_all_models_without_and_with_features_cheapest_first() -> None:
    """Ridge, ridge with features, decision tree, ... LSTM with features."""
    configs = [SPACE.active(genome) for genome in initial_design(SPACE)]
    assert [c.model for c in configs[::2]] == [
        "ridge", "decision_tree", "xgboost", "gradient_boosting", "random_forest", "dnn", "cnn", "lstm"
    ]  # fmt: skip
    assert [c.stages["featurize"]["rolling"] for c in configs] == ["none", "mean_std_range"] * 8


def test_library_defaults_are_the_defaults() -> None:
    """The values that the libraries' own documentation gives."""
    xgboost = SPACE.active({MODEL: "xgboost"}).stages["train"]
    assert (xgboost["n_estimators"], xgboost["max_depth"], xgboost["learning_rate"]) == (100, 6, 0.3)
    assert SPACE.active({MODEL: "ridge"}).stages["train"]["alpha"] == 1.0


def test_a_lens_narrows_fixes_and_opens() -> None:
    """A value fixes, a list and a range narrow; what was closed may be opened."""
    lens = Lens.parse(
        {
            "models": ["ridge", "xgboost"],
            "skip_stages": ["profile"],
            "genes": {
                "scale.input": "standard",
                "featurize.rolling": ["none", "mean"],
                "xgboost.max_depth": {"low": 2, "high": 4},
                "clean.correlation_threshold": {"low": 0.9},
            },
        },
        "lens.yaml",
    )
    space = build_space(lens, "lens.yaml", "regression")
    assert space.models == ("ridge", "xgboost")
    assert "profile" not in space.stages
    assert not space.genes["scale.input"].searched
    assert space.genes["featurize.rolling"].choices == ("none", "mean")
    assert space.genes["xgboost.max_depth"].default == 4
    assert space.genes["clean.correlation_threshold"].searched


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"model": ["ridge"]}, "unknown key 'model'.*did you mean 'models'"),
        ({"models": ["rigde"]}, "no model called 'rigde'.*ridge"),
        ({"models": []}, "empty list"),
        ({"models": "ridge"}, "not a list"),
        ({"skip_stages": ["train"]}, "'train' cannot be skipped"),
        ({"skip_stages": ["trian"]}, "no stage 'trian'"),
        ({"genes": {"xgboost.max_deph": 3}}, "no gene 'xgboost.max_deph'.*max_depth"),
        ({"genes": {"xgboost.max_depth": {"low": 1, "high": 99}}}, "99 lies outside 1 to 12"),
        ({"genes": {"xgboost.max_depth": {"low": 9, "high": 3}}}, "low 9 is above high 3"),
        ({"genes": {"xgboost.max_depth": {"lo": 3}}}, "unknown key 'lo'.*low"),
        ({"genes": {"xgboost.max_depth": 2.5}}, "2.5 is not a whole number"),
        ({"genes": {"xgboost.max_depth": None}}, "cannot read None"),
        ({"genes": {"scale.input": ["standard", "log"]}}, "'log' is not one of"),
        ({"genes": {"scale.input": {"low": 1}}}, "a range for a choice"),
        ({"genes": {"scale.input": []}}, "empty list of choices"),
        ({"genes": [1]}, "genes is not a mapping"),
        ([1, 2], "a search space is a mapping"),
    ],
)
def test_a_wrong_lens_says_what_is_wrong(document: object, message: str) -> None:
    """Never wider than the parts, never an unknown word."""
    with pytest.raises(StudyError, match=message):
        build_space(Lens.parse(document, "lens.yaml"), "lens.yaml", "regression")


def test_genes_check_their_values() -> None:
    """Whole numbers stay whole, flags are no numbers, nothing lies outside."""
    assert integer("n", 1, 9, 3).check(4.0) == 4
    assert isinstance(integer("n", 1, 9, 3).check(4.0), int)
    assert flag("on", False).check(True) is True
    for gene, wrong in (
        (integer("n", 1, 9, 3), True),
        (real("r", 0.0, 1.0, 0.5), float("nan")),
        (flag("on", False), 1),
        (choice("c", (64, 128), 64), 65),
    ):
        with pytest.raises(StudyError):
            gene.check(wrong)
