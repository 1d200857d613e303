"""The product from Python, in a notebook, as estimators, and in MLflow."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

import cemai_opt
from cemai_opt import ParetoClassifier, ParetoRegressor, load_model, load_run, optimize
from cemai_opt.core.errors import StudyError
from tests.finished import finished_run, tools

QUICK = {"target": "tool_wear", "group": "run", "time": "cut", "space": "quick", "engine": "in_process", "confirm": 0}


def test_a_frame_is_searched_exported_and_predicted(tmp_path: Path) -> None:
    """From rows in memory to predictions in memory; the same call goes on with the same run."""
    frame, seen = tools().drop(columns="worn"), []
    run = optimize(frame, out=tmp_path / "run", trials=4, on_result=lambda r: seen.append(r.trial), **QUICK)
    assert len(seen) >= 4
    longer = optimize(frame, out=tmp_path / "run", trials=6, **QUICK)
    assert longer.summary.search.trials == 6
    assert load_run(tmp_path / "run").front.to_frame().equals(longer.front.to_frame())
    model = run.export(tmp_path / "model", "best")
    predicted = model.predict(frame.drop(columns="tool_wear"))
    assert predicted.shape == (len(frame),)
    assert np.array_equal(predicted, load_model(tmp_path / "model").predict(frame))
    assert np.allclose(predicted, load_model(tmp_path / "model", "onnx").predict(frame), atol=1e-3)
    assert np.corrcoef(predicted, frame["tool_wear"])[0, 1] > 0.5
    assert run.report().is_file()


def test_unknown_words_are_told_with_the_nearest_known_one(tmp_path: Path) -> None:
    """An option, a folder, a form, a member."""
    with pytest.raises(StudyError, match="did you mean 'trials'"):
        optimize(tools(), out=tmp_path / "run", trails=3)
    with pytest.raises(StudyError, match="holds no run"):
        load_run(tmp_path / "nothing")
    with pytest.raises(StudyError, match="holds no exported model"):
        load_model(tmp_path / "nothing")
    with pytest.raises(StudyError, match="did you mean 'knee'"):
        finished_run("regression").export(tmp_path / "model", "kneee")


def test_a_front_shows_itself_in_a_notebook() -> None:
    """A row a member, with grams by stage; as HTML that holds no foreign markup; as a figure."""
    front = finished_run("regression").front
    frame = front.to_frame()
    assert list(frame.index) == [member.trial for member in front]
    assert {"validation", "test", "carbon_g", "train_carbon_g", "mark"} <= set(frame.columns)
    html = front._repr_html_()
    assert html.count("<tr>") == len(front.view.candidates) + 1
    assert "knee" in html
    assert front.plot().axes[0].get_xscale() == "log"
    assert front[0] is not front[-1] or len(front) == 1
    assert repr(front).startswith("Front(")


def test_importing_the_product_is_light() -> None:
    """The names are there, and no library is loaded before one is used."""
    code = "import sys, cemai_opt; print(*cemai_opt.__all__, *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"torch", "sklearn", "pandas", "optuna", "numpy"} & set(done.stdout.split()) == set()
    assert all(getattr(cemai_opt, name) for name in cemai_opt.__all__)


@parametrize_with_checks([ParetoRegressor(trials=1, confirm=0), ParetoClassifier(trials=1, confirm=0)])
def test_estimators_are_estimators(estimator, check) -> None:  # type: ignore[no-untyped-def]  # scikit-learn's own
    """All of scikit-learn's checks. With one trial: of more, two fits may choose differently, as grams are measured."""
    check(estimator)


def test_a_regressor_finds_a_front_and_predicts_with_its_members(tmp_path: Path) -> None:
    """`front_`, `knee_` and `select`; pickled and unpickled it predicts the same; scikit-learn's tools take it."""
    X, y = load_diabetes(return_X_y=True)
    fitted = ParetoRegressor(trials=8, confirm=0, pick="best").fit(X, y)
    assert len(fitted.front_) >= 1
    assert fitted.knee_.trial in fitted.front_.to_frame().index
    assert fitted.search_carbon_g_ > fitted.fit_carbon_g_ > 0
    before = fitted.predict(X)
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).predict(X), before)
    assert np.array_equal(fitted.predict(X[5:8]), before[5:8])
    for member in fitted.front_:
        assert fitted.select(member.trial).selected_.trial == member.trial
        assert np.isfinite(fitted.predict(X)).all()
    scores = [fitted.select(member.trial).score(X, y) for member in fitted.front_]
    assert max(scores) > 0.3  # of all members: 71 validation rows may choose a poor one
    with pytest.raises(ValueError, match="no front member"):
        fitted.select("kneee")
    with pytest.raises(ValueError, match="call fit again"):
        pickle.loads(pickle.dumps(fitted)).select("greenest")


def test_a_classifier_keeps_labels_and_groups(tmp_path: Path) -> None:
    """Classes by their own names; groups stay on one side, also in a frame with names and in cross-validation."""
    X, y = load_wine(return_X_y=True, as_frame=True)
    labels = np.array(["red", "rose", "white"])[y]
    groups = np.arange(len(X)) % 12
    fitted = ParetoClassifier(trials=6, confirm=0, pick="best").fit(X, labels, groups)
    assert set(fitted.predict(X)) <= {"red", "rose", "white"}
    assert fitted.score(X, labels) > 0.8
    assert list(fitted.feature_names_in_) == list(X.columns)
    estimator = ParetoClassifier(trials=3, confirm=0, pick="best")
    assert np.mean(cross_val_score(estimator, X, labels, groups=groups, cv=GroupKFold(3))) > 0.5
    with pytest.raises(ValueError, match="groups has 3 entries"):
        estimator.fit(X, labels, groups[:3])


def test_an_estimator_of_noise_warns_and_predicts_all_the_same() -> None:
    """With the greenest member: scikit-learn's estimators always predict."""
    X, y = np.random.default_rng(0).normal(size=(120, 3)), np.arange(120.0) % 7
    with pytest.warns(UserWarning, match="no pipeline is better than always predicting"):
        fitted = ParetoRegressor(trials=2, confirm=1).fit(X, y)
    assert (fitted.knee_, fitted.selected_.trial) == (None, fitted.front_[0].trial)
    assert np.isfinite(fitted.predict(X)).all()


def test_mlflow_has_a_parent_and_a_child_for_each_member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Energies of stages are metrics of the child, parameters its configuration, grams of the search the parent's."""
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    run, uri = finished_run("classification"), f"sqlite:///{tmp_path}/mlflow.db"
    parent = run.log_to_mlflow(uri, "wear")
    client = mlflow.MlflowClient(uri)
    place = client.get_experiment_by_name("wear").experiment_id
    logged = {found.info.run_id: found for found in client.search_runs([place])}
    assert logged[parent].data.metrics["search_carbon_g"] > 0
    children = [found for found in logged.values() if found.data.tags.get("mlflow.parentRunId") == parent]
    assert len(children) == len(run.front.view.candidates) == len(logged) - 1
    for member in run.front:
        (child,) = (c for c in children if c.info.run_name == f"trial {member.trial} {member.model}")
        assert child.data.metrics["train_energy_j"] == member.stages["train"].energy_j
        assert child.data.metrics["validation"] == member.validation
        assert child.data.params["train.model"] == member.model
        assert child.info.status == "FINISHED"


def test_an_estimator_without_an_average_predicts_with_the_best() -> None:
    """And says so; where there can be none, it does not begin to search."""
    X = np.random.default_rng(0).normal(size=(120, 3))
    y = X.sum(axis=1)
    with pytest.warns(UserWarning, match="no average"):
        fitted = ParetoRegressor(trials=2, confirm=1, pick="average").fit(X, y)
    assert fitted.selected_.trial == fitted.front_.view.front.pick("best").trial
    with pytest.raises(ValueError, match="needs confirm"):
        ParetoRegressor(trials=2, confirm=0, pick="average").fit(X, y)
    unfitted = ParetoRegressor(trials=2, pick="none of them")
    with pytest.raises(ValueError, match="none of them"):
        unfitted.fit(X, y)
    with pytest.raises(NotFittedError):
        unfitted.predict(X)


def test_a_frame_in_any_order_is_what_its_file_is(tmp_path: Path) -> None:
    """Rows from a frame and from a CSV file of it are the same rows to a search."""
    frame = tools().drop(columns="worn")
    frame.to_csv(tmp_path / "rows.csv", index=False)
    digests = []
    for data, out in ((frame, "a"), (tmp_path / "rows.csv", "b")):
        optimize(data, out=tmp_path / out, trials=1, **QUICK)
        scores = [member.validation for member in load_run(tmp_path / out).front]
        digests.append(scores)
    assert digests[0] == pytest.approx(digests[1])
    assert isinstance(pd.read_parquet(tmp_path / "a" / "data.parquet"), pd.DataFrame)
