"""Scores that are too good to be true are suspected aloud."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt.compose import prepare
from cemai_opt.core.errors import StudyError
from cemai_opt.core.study import StudySpec
from cemai_opt.datasets import Dataset
from cemai_opt.pipeline.suspicions import unnamed_groups

RNG = np.random.default_rng(0)
NO_GROUP = {"group": None, "time": "t", "target": "y"}


def frame(n: int = 120) -> pd.DataFrame:
    """Six groups, noise, a target and two classes."""
    rows = pd.DataFrame(RNG.normal(size=(n, 2)), columns=["a", "b"])
    rows["g"] = np.repeat(list("uvwxyz"), n // 6)
    rows["y"] = rows["a"] + RNG.normal(size=n)
    rows["c"] = np.where(rows["y"] > 0.0, "good", "worn")
    return rows


def notes_of(rows: pd.DataFrame, folder: Path, *, test: pd.DataFrame | None = None, **data: object) -> str:
    """The notes of a study of these rows."""
    rows.to_csv(folder / "rows.csv", index=False)
    spec = {"path": str(folder / "rows.csv"), "group": "g", **data}
    if test is not None:
        test.to_csv(folder / "test.csv", index=False)
        spec["test"] = str(folder / "test.csv")
    return " | ".join(prepare(StudySpec.model_validate({"data": spec})).notes)


def test_honest_rows_raise_no_suspicion(tmp_path: Path) -> None:
    """Neither in a regression nor in a classification."""
    for target, other in (("y", "c"), ("c", "y")):
        notes = notes_of(frame(), tmp_path, target=target, ignore=[other])
        assert "too good" not in notes
        assert "gives the target away" not in notes


def test_an_input_that_gives_the_target_away_is_named(tmp_path: Path) -> None:
    """As a number, as a text, and for a class; missing values do not hide it."""
    rows = frame()
    rows["copy"] = rows["y"] * 2.0 + 1e-3 * rows["b"]
    rows.loc[:5, "copy"] = np.nan
    assert "input 'copy' gives the target away (correlation 1.000)" in notes_of(
        rows, tmp_path, target="y", ignore=["c"]
    )
    rows["verdict"] = rows["c"].map({"good": "ok", "worn": "nok"})
    notes = notes_of(rows, tmp_path, target="c", ignore=["y", "copy"])
    assert "input 'verdict=ok' gives the target away (area under the ROC curve 1.000)" in notes
    assert "--ignore verdict" in notes


def test_test_rows_that_are_known_are_refused(tmp_path: Path) -> None:
    """All of them: an error. Some of them, or groups of the same name: a note."""
    rows = frame()
    with pytest.raises(StudyError, match=r"120 of 120 test rows are rows of the data"):
        notes_of(rows, tmp_path, test=rows, target="y", ignore=["c"])
    other = frame().assign(g=np.repeat(list("uvabcd"), 20))
    notes = notes_of(rows, tmp_path, test=other, target="y", ignore=["c"])
    assert "2 groups of the test data have a name that occurs in the data too, such as 'u'" in notes
    assert "test rows equal" not in notes
    some = pd.concat([other, rows.iloc[:30].assign(g="n")], ignore_index=True)
    assert "30 of 150 test rows equal other rows" in notes_of(rows, tmp_path, test=some, target="y", ignore=["c"])


def test_a_class_that_cannot_be_learned_is_refused(tmp_path: Path) -> None:
    """Only test rows have it, or it is the only one."""
    rows = frame()
    rows.loc[rows["g"] == "z", "c"] = "broken"
    with pytest.raises(StudyError, match="class 'broken' occurs in test rows only"):
        notes_of(rows, tmp_path, target="c", ignore=["y"], test_groups=["z"])
    rows["c"] = np.where(rows["g"] == "z", rows["c"], "good")
    with pytest.raises(StudyError, match=r"all rows but the test rows have one class \('good'\)"):
        notes_of(rows, tmp_path, target="c", ignore=["y"], test_groups=["z"])


def test_a_column_like_groups_is_pointed_out() -> None:
    """Where no groups are given: rows of one machine on both sides make scores too good."""
    X = np.column_stack([np.random.default_rng(0).normal(size=40), np.repeat(np.arange(4.0), 10)])
    fields = {"y": np.arange(40.0), "order": np.arange(40.0), "is_test": np.zeros(40, bool), "task": "regression"}
    for has_groups, n_notes in ((False, 1), (True, 0)):
        group = np.repeat(np.arange(4), 10) if has_groups else np.zeros(40, np.int64)
        names = tuple("abcd") if has_groups else ("row",)
        data = Dataset(X=X, group=group, names=("x", "unit"), group_names=names, has_groups=has_groups, **fields)
        notes = unnamed_groups(data)
        assert len(notes) == n_notes
        assert not notes or "--group unit" in notes[0]


def test_machines_whose_rows_are_mixed_are_pointed_out(tmp_path: Path) -> None:
    """Each drifts on its own, and a log holds them in turn; materials whose rows have no order are none."""
    walks = {name: np.cumsum(RNG.normal(size=40)) for name in ("P-1", "P-2", "P-3", "P-4")}
    rows = [{"pump": name, "x": RNG.normal(), "y": walk[i]} for i in range(40) for name, walk in walks.items()]
    log = pd.DataFrame(rows).assign(t=range(len(rows)))
    assert "column 'pump' has 4 values, within which the target changes less" in notes_of(log, tmp_path, **NO_GROUP)
    level = dict(zip(walks, (0.0, 5.0, 10.0, 15.0), strict=True))
    materials = log.assign(y=log["pump"].map(level) + RNG.normal(size=len(log)))
    materials["pump"] = RNG.permutation(materials["pump"])
    materials["y"] = materials["pump"].map(level) + RNG.normal(size=len(log))
    assert "--group" not in notes_of(materials, tmp_path, **NO_GROUP)


def test_a_code_that_gives_the_class_away_is_named(tmp_path: Path) -> None:
    """Though no value of it does so alone: two of its values stand for each class."""
    rows = frame(240)
    pair = rows["c"].map({"good": 0, "worn": 2}) + RNG.integers(0, 2, len(rows))
    rows["code"] = pair.map({0: "A7", 1: "B1", 2: "C9", 3: "D4"})
    text = notes_of(rows.drop(columns="y"), tmp_path, target="c")
    assert "input 'code' gives the target away (area under the ROC curve 1.000)" in text
    assert "--ignore code" in text
    rows["code"] = RNG.permutation(rows["code"])
    assert "gives the target away" not in notes_of(rows.drop(columns="y"), tmp_path, target="c")


def test_a_level_that_gives_a_number_away_is_named(tmp_path: Path) -> None:
    """By the mean target of each level."""
    rows = frame(240)
    rows["grade"] = RNG.choice(list("pqrs"), len(rows))
    rows["y"] = rows["grade"].map({"p": 3.0, "q": 1.0, "r": 2.0, "s": 9.0}) + 0.01 * RNG.normal(size=len(rows))
    assert "input 'grade' gives the target away (correlation 1.000)" in notes_of(
        rows.drop(columns="c"), tmp_path, target="y"
    )


def test_a_number_that_means_none_is_pointed_out(tmp_path: Path) -> None:
    """It recurs, and is far from all others; a single outlier is a measurement, and a limit is not far away."""
    rows = frame().drop(columns="c")
    rows.loc[[3, 40, 90], "a"] = 999.9
    rows.loc[5, "b"] = -50.0
    text = notes_of(rows.assign(y=rows["b"] + RNG.normal(size=len(rows))), tmp_path, target="y")
    assert "input 'a': 999.9 recurs, far from all other values: if it means none, --missing 999.9" in text
    assert "input 'b'" not in text
    limited = frame().drop(columns="c").assign(a=lambda f: f["a"].clip(upper=1.0))
    assert "recurs" not in notes_of(limited, tmp_path, target="y")


def test_units_with_rows_of_the_same_time_are_pointed_out(tmp_path: Path) -> None:
    """Also with a horizon, which counts rows across them; with the group it is no longer said."""
    rows = [{"t": i, "shop": shop, "x": RNG.normal(), "y": RNG.normal()} for i in range(60) for shop in ("u", "v", "w")]
    log = pd.DataFrame(rows)
    for horizon in (0, 7):
        text = notes_of(log, tmp_path, **NO_GROUP, horizon=horizon)
        assert "column 'shop' has 3 values, which tell rows of the same time apart" in text
        assert "120 rows have the same time as the row before in their file" in text
    text = notes_of(log, tmp_path, **{**NO_GROUP, "group": "shop"})
    assert "same time" not in text
    assert "--split time: on later rows of the same groups" in text
    twice = pd.concat([log, log.iloc[:2]])
    text = notes_of(twice, tmp_path, **{**NO_GROUP, "group": "shop"})
    assert "2 rows have the same time as the row before in their group" in text


def test_a_horizon_that_groups_are_too_short_for_is_pointed_out(tmp_path: Path) -> None:
    """A date as the group, for example: three rows later is another group."""
    log = frame().drop(columns="c").assign(g=np.repeat(np.arange(30), 4).astype(str), t=np.tile(np.arange(4), 30))
    text = notes_of(log, tmp_path, time="t", target="y", horizon=3)
    assert "90 of 120 rows have no row of their group 3 rows later: is it the right --group?" in text
