"""A configuration in the layout of d2m."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from cemai_opt.core.plan import Config
from cemai_opt.deploy.d2m import FEATURES, METHODS, d2m_params
from cemai_opt.models import MODELS
from cemai_opt.testing.searches import study_of
from tests.conftest import Cli
from tests.finished import finished_run


def params_of(
    model: str = "ridge", added: tuple[str, ...] = (), **stages: dict[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The parameters of a pipeline on two variables, and what is lost."""
    train = {"model": model, **stages.pop("train", {})}
    return d2m_params(study_of(), Config({**stages, "train": train}), target="y", variables=("a", "b"), added=added)


def test_d2m_has_its_sections(cli: Cli, tmp_path: Path) -> None:
    """The layout of the pipeline that CEMAI measured; what it cannot express is listed."""
    done = cli("export", finished_run("regression").path, "--format", "d2m", "--out", tmp_path / "d2m")
    assert done.returncode == 0, done.stderr
    params = yaml.safe_load((tmp_path / "d2m" / "params.yaml").read_text())
    sections = ["profile", "clean", "featurize", "split", "scale", "sequentialize", "train", "evaluate", "explain"]
    assert list(params) == sections
    assert params["clean"]["target"] == "tool_wear"
    assert "force_c" in params["featurize"]["variables_to_include"]
    assert "cannot be expressed in d2m" in done.stderr


@pytest.mark.parametrize("model", MODELS.names)
def test_every_model_has_its_name_in_d2m(model: str) -> None:
    """A new model needs one, or is listed as lost."""
    document, lost = params_of(model)
    assert document["train"]["learning_method"] == METHODS.get(model, model)
    assert (f"model {model}" in lost) == (model not in METHODS)


def test_stages_keep_their_values() -> None:
    """Scaling, windows and features in the words of d2m."""
    document, lost = params_of(
        added=("mean", "max", "peak_frequency"),
        scale={"input": "standard", "target": "none"},
        sequentialize={"window_rows": 4},
        featurize={"window_rows": 7, "keep_raw": False},
    )
    assert lost == []
    assert document["scale"] == {"input_method": "standard", "output_method": None}
    assert (document["sequentialize"]["window_size"], document["sequentialize"]["overlap"]) == (4, 3)
    feature = document["featurize"]
    assert {name for name in FEATURES if feature[f"add_{name}"]} == {"mean", "maximum", "peak_frequency"}
    assert feature["add_mean"] == feature["remove_features"] == ["a", "b"]
    assert feature["rolling_window_size_mean"] == 7
    assert document["clean"]["target"] == "y"


def test_what_it_cannot_express_is_listed() -> None:
    """Hyperparameters of a model, and stages with other than their neutral values."""
    network = {"units": 8, "layers": 3, "epochs": 5, "learning_rate": 0.01}
    stages = {"scale": {"target": "log"}, "combine": {"fraction": 0.5}, "sequentialize": {"stride": 1}}
    document, lost = params_of("dnn", train=network, **stages)
    assert lost == ["train.learning_rate = 0.01", "combine.fraction = 0.5", "scale.target = log"]
    assert document["scale"]["output_method"] is None
    assert (document["train"]["n_neurons"], document["train"]["n_epochs"]) == ([8, 8, 8], 5)
