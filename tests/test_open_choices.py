"""What is chosen where a study says nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt.compose import prepare
from cemai_opt.open_choices import INDEPENDENT_NOTE, MAX_UNTHINNED, NO_ORDER_NOTE, UNKNOWN_ORDER_NOTE
from cemai_opt.pipeline import Splits, hides_extrapolation
from tests.conftest import wear_study


@pytest.mark.parametrize(
    ("data", "by", "space"),
    [
        ({}, "rows", "tabular"),
        ({}, "blocks", "tabular"),
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


@pytest.mark.parametrize(
    ("is_shuffled", "space", "by", "notes"),
    [
        (True, "auto", "rows", {NO_ORDER_NOTE, INDEPENDENT_NOTE}),
        (False, "auto", "blocks", {UNKNOWN_ORDER_NOTE, INDEPENDENT_NOTE}),
        (True, "default", "time", set()),
        (False, "trees", "time", set()),
    ],
)
def test_rows_of_which_nobody_says_anything_are_independent(
    wear: pd.DataFrame, tmp_path: Path, is_shuffled: bool, space: str, by: str, notes: set[str]
) -> None:
    """If neither a split nor a space says otherwise; neighbours that are alike are held out together; it is said."""
    rows, path = wear.drop(columns=["run", "cut"]), tmp_path / "rows.csv"
    (rows.sample(frac=1.0, random_state=0) if is_shuffled else rows).to_csv(path, index=False)
    prepared = prepare(wear_study(path, space=space, split={}, data={"path": str(path), "target": "tool_wear"}))
    assert prepared.study.split.by == by
    assert {NO_ORDER_NOTE, UNKNOWN_ORDER_NOTE, INDEPENDENT_NOTE} & set(prepared.notes) == notes


def test_a_file_that_is_sorted_by_class_is_no_series(tmp_path: Path) -> None:
    """Its last rows are of one class: every class is learned and tested, by rows if one is too rare for blocks."""
    rng = np.random.default_rng(0)
    for counts, by in (((60, 60, 60), "blocks"), ((120, 57, 3), "rows")):
        kind = np.repeat(["a", "b", "c"], counts)
        path = tmp_path / "sorted.csv"
        pd.DataFrame({"x": rng.normal(size=180), "z": rng.normal(size=180), "kind": kind}).to_csv(path, index=False)
        prepared = prepare(wear_study(path, space="auto", split={}, data={"path": str(path), "target": "kind"}))
        assert prepared.study.split.by == by
        splits = Splits.of(prepared.data, prepared.study.split, seed=prepared.study.seed)
        for fold in (*splits.search, *splits.confirm, splits.final):
            assert set(prepared.data.y[fold.is_train]) == {0.0, 1.0, 2.0}
        assert by == "rows" or set(prepared.data.y[splits.final.is_eval]) == {0.0, 1.0, 2.0}


@pytest.mark.parametrize(("n_rows", "is_thinned"), [(200, False), (MAX_UNTHINNED + 1, True)])
def test_a_portfolio_leaves_out_no_row_of_a_small_table(tmp_path: Path, n_rows: int, is_thinned: bool) -> None:
    """Rows that are like their neighbours may be left out, and some of very many; never by what a user has written."""
    path, own = tmp_path / "rows.csv", tmp_path / "own.yaml"
    values = np.random.default_rng(0).normal(size=(n_rows, 2))
    pd.DataFrame(values, columns=["x", "y"]).to_csv(path, index=False)
    own.write_text("configurations: [{train.model: ridge, combine.fraction: 0.5}]")
    data = {"path": str(path), "target": "y"}
    prepared = prepare(wear_study(path, space="auto", split={}, data=data))
    assert any("combine.fraction" in params for params in prepared.portfolio) == is_thinned
    kept = prepare(wear_study(path, space="auto", split={}, data=data, search={"portfolio": str(own)}))
    assert kept.portfolio == ({"train.model": "ridge", "combine.fraction": 0.5},)
    series = prepare(wear_study(path, space="auto", split={"by": "time"}, data=data))
    assert any("combine.fraction" in params for params in series.portfolio)


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
