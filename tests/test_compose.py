"""What a prepared study consists of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt.compose import prepare
from cemai_opt.core.space import MODEL
from tests.conftest import wear_study

VALUES = np.random.default_rng(0).normal(size=2000)
TARGETS = {
    "a product of many effects": (np.exp(VALUES), "rows", True),
    "the same, some of them zero": (np.maximum(np.exp(VALUES) - 0.2, 0.0), "rows", False),
    "a sum of many effects": (10.0 + VALUES, "rows", False),
    "few small ones among large ones": (np.exp(3.0) - np.exp(np.minimum(VALUES, 2.9)), "rows", False),
    "a product, in time order": (np.exp(VALUES), "time", False),
    "classes": (np.where(VALUES > 0, 1.0, 20.0), "rows", False),
}


@pytest.mark.parametrize("what", TARGETS)
def test_the_logarithm_of_a_target_is_searched_if_it_is_skewed(what: str, tmp_path: Path) -> None:
    """Of independent rows, for trees as well."""
    target, by, is_searched = TARGETS[what]
    path = tmp_path / "rows.csv"
    pd.DataFrame({"x": VALUES, "y": target}).to_csv(path, index=False)
    task = "classification" if what == "classes" else "regression"
    data = {"path": str(path), "target": "y"}
    space = prepare(wear_study(path, space="auto", split={"by": by}, data=data, task=task)).space
    assert space.hyperparameters["scale.target"].searched == is_searched
    config = space.active({MODEL: "decision_tree", "scale.target": "log" if is_searched else "none"})
    assert config.params("scale") == {"input": "none", "target": "log" if is_searched else "none"}


def test_a_scale_of_the_target_that_was_given_is_taken(tmp_path: Path) -> None:
    """By a search space file, even where the logarithm would be searched."""
    path, own = tmp_path / "rows.csv", tmp_path / "space.yaml"
    pd.DataFrame({"x": VALUES, "y": np.exp(VALUES)}).to_csv(path, index=False)
    own.write_text("hyperparameters: {scale.target: standard}")
    data = {"path": str(path), "target": "y"}
    scaling = prepare(wear_study(path, space=str(own), split={"by": "rows"}, data=data)).space.hyperparameters[
        "scale.target"
    ]
    assert (scaling.searched, scaling.default) == (False, "standard")
