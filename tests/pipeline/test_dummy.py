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


def test_of_many_classes_the_most_frequent_one_is_predicted(tmp_path: Path) -> None:
    """As by scikit-learn's "most_frequent"."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=200), "g": np.repeat(np.arange(5), 40)})
    frame["label"] = rng.choice(["a", "b", "c"], p=[0.6, 0.3, 0.1], size=200)
    frame.to_csv(tmp_path / "classes.csv", index=False)
    data = {"path": str(tmp_path / "classes.csv"), "target": "label", "group": "g"}
    prepared = prepare(parse_study({"name": "classes", "data": data, "space": "quick"}, "test"))
    _, final = folds_of(prepared)
    y = prepared.data.y[final.is_eval]
    assert prepared.dummy.prediction == "the most frequent class"
    assert prepared.dummy.test == pytest.approx(f1_score(y, np.zeros(len(y)), average="macro"))
