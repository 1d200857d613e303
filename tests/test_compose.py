"""What a prepared study consists of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt.compose import INDEPENDENT_NOTE, NO_ORDER_NOTE, prepare
from cemai_opt.core.space import MODEL
from cemai_opt.pipeline import hides_extrapolation
from tests.conftest import wear_study


@pytest.mark.parametrize(
    ("data", "by", "space"),
    [
        ({}, "rows", "tabular"),
        ({}, "time", "default"),
        ({"time": "cut"}, "rows", "default"),
        ({"group": "run"}, "rows", "default"),
    ],
)
def test_only_shuffled_rows_without_group_and_time_are_independent(
    wear_csv: Path, data: dict[str, str], by: str, space: str
) -> None:
    """Features of earlier rows are searched for all others; the choice is stated."""
    study = wear_study(
        wear_csv, space="auto", split={"by": by}, data={"path": str(wear_csv), "target": "tool_wear", **data}
    )
    prepared = prepare(study)
    assert prepared.study.space == space
    assert (INDEPENDENT_NOTE in prepared.notes) == (space == "tabular")
    assert prepared.space.hyperparameters["featurize.rolling"].searched == (space == "default")


def test_a_space_that_was_given_is_taken(wear_csv: Path) -> None:
    """Even where another one would be chosen."""
    data = {"path": str(wear_csv), "target": "tool_wear"}
    assert prepare(wear_study(wear_csv, space="default", split={"by": "rows"}, data=data)).study.space == "default"


@pytest.mark.parametrize(
    ("data", "by", "resolved"),
    [
        ({}, "auto", "rows"),
        ({}, "time", "time"),
        ({"time": "cut"}, "auto", "time"),
        ({"group": "run"}, "auto", "group"),
    ],
)
def test_a_space_of_independent_rows_splits_them_at_random(
    wear_csv: Path, data: dict[str, str], by: str, resolved: str
) -> None:
    """Unless a split, a time or a group is given."""
    columns = {"path": str(wear_csv), "target": "tool_wear", **data}
    assert prepare(wear_study(wear_csv, space="tabular", split={"by": by}, data=columns)).study.split.by == resolved


@pytest.mark.parametrize("space", ["auto", "default", "trees"])
@pytest.mark.parametrize("is_shuffled", [False, True])
def test_rows_whose_order_tells_nothing_are_independent(
    wear: pd.DataFrame, tmp_path: Path, is_shuffled: bool, space: str
) -> None:
    """If neither a split nor a space says otherwise, and it is said."""
    rows, path = wear.drop(columns=["run", "cut"]), tmp_path / "rows.csv"
    (rows.sample(frac=1.0, random_state=0) if is_shuffled else rows).to_csv(path, index=False)
    prepared = prepare(wear_study(path, space=space, split={}, data={"path": str(path), "target": "tool_wear"}))
    is_found = is_shuffled and space == "auto"
    assert prepared.study.split.by == ("rows" if is_found else "time")
    assert (NO_ORDER_NOTE in prepared.notes) == (INDEPENDENT_NOTE in prepared.notes) == is_found


@pytest.mark.parametrize(("n_tools", "is_said"), [(3, True), (12, False)])
def test_few_groups_are_said_not_to_show_how_a_model_extrapolates(
    wear: pd.DataFrame, tmp_path: Path, n_tools: int, is_said: bool
) -> None:
    """Of three, one is for the test."""
    path = tmp_path / "few.csv"
    wear[wear["run"].isin(wear["run"].unique()[:n_tools])].to_csv(path, index=False)
    prepared = prepare(wear_study(path, data={"path": str(path), "target": "tool_wear", "group": "run"}))
    assert hides_extrapolation(prepared.data, prepared.study.split) == is_said
    assert ("do not show how a model extrapolates" in " ".join(prepared.notes)) == is_said


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
