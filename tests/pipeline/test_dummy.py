"""The constant prediction agrees with scikit-learn's dummy estimators."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import average_precision_score, f1_score, r2_score

from cemai_opt.compose import PreparedStudy, prepare
from cemai_opt.core.study_file import parse_study
from cemai_opt.pipeline import Fold, Splits, dummy_score
from cemai_opt.pipeline.dummy import MAX_CLASSES, last_known
from tests.conftest import wear_study


def labels(tmp_path: Path, share: float) -> PreparedStudy:
    """Six groups of rows without any signal, of which a share is bad."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": rng.normal(size=240), "g": np.repeat(list("abcdef"), 40)})
    frame["label"] = np.where(rng.random(240) < share, "bad", "good")
    frame.to_csv(tmp_path / "labels.csv", index=False)
    data = {"path": str(tmp_path / "labels.csv"), "target": "label", "group": "g"}
    return prepare(parse_study({"name": "labels", "data": data, "space": "quick"}, "test"))


def folds_of(prepared: PreparedStudy) -> tuple[tuple[Fold, ...], Fold]:
    """The folds on which members are scored, and that of the test."""
    splits = Splits.of(prepared.data, prepared.study.split, seed=prepared.study.seed)
    return splits.confirm, splits.final


def test_the_mean_is_the_constant_of_r2(wear_csv: Path) -> None:
    """On the folds that confirm scores together, and on the test rows."""
    prepared = prepare(wear_study(wear_csv))
    X, y = prepared.data.X, prepared.data.y
    confirm, final = folds_of(prepared)
    made = [DummyRegressor().fit(X[f.is_train], y[f.is_train]).predict(X[f.is_eval]) for f in (*confirm, final)]
    true = [y[f.is_eval] for f in (*confirm, final)]
    assert prepared.dummy.prediction == "the mean"
    assert prepared.dummy.validation == pytest.approx(r2_score(np.concatenate(true[:-1]), np.concatenate(made[:-1])))
    assert prepared.dummy.test == pytest.approx(r2_score(true[-1], made[-1]))


@pytest.mark.parametrize(("share", "rare"), [(0.8, "good"), (0.2, "bad")])
def test_the_f1_of_a_constant_is_that_of_the_rare_class(tmp_path: Path, share: float, rare: str) -> None:
    """Which is above 0, unlike that of always predicting the frequent one."""
    prepared = labels(tmp_path, share)
    _, final = folds_of(prepared)
    y = prepared.data.y[final.is_eval][:, None].astype(int)
    constant = DummyClassifier(strategy="constant", constant=1).fit(y, y.ravel())
    assert (prepared.study.score, prepared.data.classes[1]) == ("f1", rare)
    assert prepared.dummy.prediction == repr(rare)
    assert prepared.dummy.test == pytest.approx(f1_score(y, constant.predict(y)))


def test_average_precision_of_a_constant_is_the_share_of_positives(tmp_path: Path) -> None:
    """Whichever class is predicted."""
    prepared = labels(tmp_path, 0.3)
    study = prepared.study.model_copy(update={"score": "average_precision"})
    splits = Splits.of(prepared.data, study.split, seed=study.seed)
    y = prepared.data.y[splits.final.is_eval]
    found = dummy_score(prepared.data, splits, study=study)
    assert found.test == pytest.approx(average_precision_score(y, np.ones(len(y)))) == pytest.approx((y == 1).mean())


def classes(tmp_path: Path, names: list[str]) -> PreparedStudy:
    """Five groups of rows of these classes, the first one the most frequent, without any signal."""
    rng = np.random.default_rng(0)
    shares = np.linspace(2.0, 1.0, len(names))
    frame = pd.DataFrame({"x": rng.normal(size=500), "g": np.repeat(np.arange(5), 100)})
    frame["label"] = rng.choice(names, p=shares / shares.sum(), size=500)
    frame.to_csv(tmp_path / "classes.csv", index=False)
    data = {"path": str(tmp_path / "classes.csv"), "target": "label", "group": "g"}
    return prepare(parse_study({"name": "classes", "data": data, "space": "quick"}, "test"))


def test_one_class_is_predicted_on_all_folds(tmp_path: Path) -> None:
    """The best of them; a class for each fold would be better than any constant."""
    prepared = classes(tmp_path, ["a", "b", "c"])
    confirm, _ = folds_of(prepared)
    y = np.concatenate([prepared.data.y[fold.is_eval] for fold in confirm])
    best = max(f1_score(y, np.full(len(y), float(code)), average="macro") for code in range(3))
    assert prepared.dummy.prediction in {repr(name) for name in "abc"}
    assert prepared.dummy.validation == pytest.approx(best)


def test_of_very_many_classes_the_most_frequent_one_is_predicted(tmp_path: Path) -> None:
    """Of the rows of the search."""
    prepared = classes(tmp_path, [f"c{i:02d}" for i in range(MAX_CLASSES + 5)])
    rows = ~Splits.of(prepared.data, prepared.study.split, seed=prepared.study.seed).test
    counts = np.bincount(prepared.data.y[rows].astype(int))
    assert prepared.dummy.prediction == repr(prepared.data.classes[int(counts.argmax())])


def test_with_a_horizon_the_last_known_value_is_a_prediction(tmp_path: Path) -> None:
    """Of a random walk, it is the best one; rows without one get the mean."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=400), "walk": rng.normal(size=400).cumsum()})
    frame.to_csv(tmp_path / "walk.csv", index=False)
    data = {"path": str(tmp_path / "walk.csv"), "target": "walk", "horizon": 2}
    prepared = prepare(parse_study({"name": "walk", "data": data, "space": "quick"}, "test"))
    _, final = folds_of(prepared)
    y, now = prepared.data.y[final.is_eval], frame["walk"].to_numpy()[final.is_eval]
    assert prepared.dummy.prediction == "the last known value"
    assert prepared.dummy.test == pytest.approx(r2_score(y, now))
    assert any("present value of 'walk' is an input" in note for note in prepared.notes)
    y, group = np.array([1.0, 2.0, np.nan, 5.0, np.nan]), np.array([0, 0, 0, 1, 1])
    assert last_known(y, group, horizon=1)[[1, 2, 4]].tolist() == [1.0, 2.0, 5.0]


def test_with_a_season_its_value_is_a_prediction(tmp_path: Path) -> None:
    """Days with the same course: what was known a day before the hour that is predicted, by its number of rows."""
    rng = np.random.default_rng(0)
    day = rng.normal(size=24)
    frame = pd.DataFrame({"x": rng.normal(size=480), "load": np.tile(day, 20) + 0.1 * rng.normal(size=480)})
    frame.to_csv(tmp_path / "load.csv", index=False)
    data = {"path": str(tmp_path / "load.csv"), "target": "load", "horizon": 5}
    prepared = prepare(parse_study({"name": "load", "data": data, "space": "quick"}, "test"))
    _, final = folds_of(prepared)
    load, rows = frame["load"].to_numpy(), np.flatnonzero(final.is_eval)
    assert prepared.dummy.prediction == "the value 24 rows before"
    assert prepared.dummy.test == pytest.approx(r2_score(load[rows + 5], load[rows + 5 - 24]))
