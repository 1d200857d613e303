"""Importances: exact where a model is additive, sampled elsewhere."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping

import numpy as np
import pytest

from cemai_opt.core.batch import Batch
from cemai_opt.core.errors import StudyError
from cemai_opt.models import MODELS
from cemai_opt.models._booster import BoosterModel
from cemai_opt.stages.explain import _sampled
from cemai_opt.testing.batches import batch_of, run_stages
from tests.finished import solving

ADDITIVE = [
    (task, model)
    for task in ("regression", "classification")
    for model in solving(task)
    if MODELS.find(model).is_additive
]


OWN = [
    (task, model)
    for task in ("regression", "classification")
    for model in solving(task)
    if MODELS.find(model).explained_with or issubclass(MODELS.find(model), BoosterModel)
]
GIVE_PROBABILITIES = {"decision_tree", "random_forest", "extra_trees"}


def explained(task: str, model: str, algorithm: str = "permutation") -> Batch:
    """A batch of five variables, of which two count, after all stages."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(240, 5))
    y = np.sin(X[:, 0]) + 0.5 * X[:, 1] ** 2 + 0.01 * rng.normal(size=240)
    if task == "classification":
        y = np.digitize(y, [0.0, 0.6]).astype(float)
    stages: Mapping[str, Mapping[str, object]] = {
        "train": {"model": model},
        "sequentialize": {"window_rows": 3},
        "explain": {"algorithm": algorithm},
    }
    group = np.repeat(np.arange(12), 20)
    kind = {"kind": task, "score": "f1_macro", "n_classes": 3} if task == "classification" else {}
    return run_stages(batch_of(X, y, group=group, **kind), until="explain", **stages)  # type: ignore[arg-type]  # values


@pytest.mark.parametrize(("task", "model"), ADDITIVE)
def test_exact_importances_are_those_of_shap(task: str, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An additive game has one solution: permutations of any kind give it too."""
    pytest.importorskip("shap")
    exact = explained(task, model).importances
    monkeypatch.setattr(MODELS.find(model), "is_additive", False)
    sampled = explained(task, model).importances
    assert list(exact)[:2] == list(sampled)[:2]
    assert {name: pytest.approx(share, abs=1e-9) for name, share in sampled.items()} == exact


def test_no_model_needs_shap(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not even imported: that and compiling it take ten seconds of CPU time."""
    monkeypatch.delitem(sys.modules, "shap", raising=False)
    for model in ("ridge", "decision_tree"):
        assert sum(explained("regression", model).importances.values()) == pytest.approx(1.0)
    assert "shap" not in sys.modules


def test_sampled_values_are_those_of_shap() -> None:
    """Of pairs of variables that interact, a permutation with its reverse gives the exact values, as shap's does."""
    shap = pytest.importorskip("shap")

    def output(present: np.ndarray) -> np.ndarray:
        a, b, c, d = np.asarray(present, float).T
        return np.stack([a * b + 2.0 * c, d - b * c], axis=1)

    explainer = shap.explainers.Permutation(output, np.zeros((1, 4)), seed=0)
    values = explainer(np.ones((1, 4)), max_evals=9, silent=True).values[0]
    for seed in range(3):
        sampled = _sampled(output, 4, rng=np.random.default_rng(seed))
        assert sampled == pytest.approx(np.abs(values).sum(axis=1))


def test_models_with_an_algorithm_of_their_own_are_those_of_cemai() -> None:
    """Trees, boosters and networks, LSTM included, of either task."""
    assert {model for _, model in OWN} >= {
        *("decision_tree", "random_forest", "gradient_boosting", "xgboost", "lightgbm", "dnn", "cnn", "lstm")
    }
    assert not {"quant", "ridge", "nystroem"} & {model for _, model in OWN}


@pytest.mark.parametrize(("task", "model"), OWN)
def test_values_add_up_to_the_output(task: str, model: str) -> None:
    """What sets two windows apart is all that their values differ by: exactly for trees, nearly for networks."""
    pytest.importorskip("shap")
    batch = explained(task, model, "by_model")
    assert batch.windows is not None
    assert batch.samples is not None
    windows = batch.windows.take(batch.eval_rows)
    values = batch.model.shapley_values(windows, background=np.asarray(batch.samples.X[:40]))
    assert values is not None
    assert values.shape[:2] == (len(windows), 5)
    prediction = batch.model.predict(windows)
    output = prediction.value[:, None] if prediction.by_class is None else prediction.by_class
    if task == "classification" and model not in GIVE_PROBABILITIES:  # outputs whose softmax are probabilities
        output = np.log(output)
    differ, explained_by = (each - each.mean(axis=0) for each in (output, values.sum(axis=1)))
    if task == "classification":  # a constant for all classes changes no probability
        differ, explained_by = (each - each.mean(axis=1, keepdims=True) for each in (differ, explained_by))
    if MODELS.find(model).grows_by == "epochs":  # sampled, of a scaled target
        assert np.corrcoef(differ.ravel(), explained_by.ravel())[0, 1] > 0.97
    else:
        assert explained_by == pytest.approx(differ, abs=1e-4)


@pytest.mark.parametrize(("task", "model"), OWN)
def test_both_algorithms_find_the_variables_that_count(task: str, model: str) -> None:
    """Shares of all variables are within .15 of one another, and the first is the same."""
    pytest.importorskip("shap")
    own, sampled = (explained(task, model, algorithm).importances for algorithm in ("by_model", "permutation"))
    assert set(own) == set(sampled)
    assert sum(own.values()) == pytest.approx(1.0)
    assert next(iter(own)) == next(iter(sampled))
    assert max(abs(own[name] - sampled[name]) for name in own) < 0.15


@pytest.mark.parametrize("model", ["random_forest", "gradient_boosting", "xgboost", "lightgbm", "dnn"])
@pytest.mark.parametrize("encoding", ["target", "one_hot"])
def test_categories_are_explained_under_their_names(model: str, encoding: str) -> None:
    """Encoded as several numbers or split by themselves: one value each, the largest for the one that counts."""
    pytest.importorskip("shap")
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, size=(240, 2)).astype(float)
    X = np.column_stack([rng.normal(size=240), codes])
    y = np.array([0.0, 3.0, 1.0, 6.0])[codes[:, 1].astype(int)] + 0.1 * X[:, 0]
    batch = batch_of(X, y, group=np.repeat(np.arange(12), 20), n_levels=(4, 4))
    done = run_stages(
        batch, until="explain", train={"model": model, "encoding": encoding}, explain={"algorithm": "by_model"}
    )
    assert next(iter(done.importances)) == "v2"
    assert len(done.importances) == 3
    assert done.importances["v2"] > 0.5


def test_what_is_missing_is_said_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is measured."""
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "shap" else find_spec(name))
    assert explained("regression", "ridge", "by_model").importances
    with pytest.raises(StudyError, match=r"needs shap") as caught:
        explained("regression", "decision_tree", "by_model")
    assert "cemai-opt[explain]" in caught.value.hint
