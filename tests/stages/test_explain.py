"""Importances: exact where a model is additive, sampled elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np
import pytest

from cemai_opt.core.batch import Batch
from cemai_opt.models import MODELS
from cemai_opt.stages.explain import _sampled
from cemai_opt.testing.batches import batch_of, run_stages
from tests.finished import solving

ADDITIVE = [
    (task, model)
    for task in ("regression", "classification")
    for model in solving(task)
    if MODELS.find(model).is_additive
]


def explained(task: str, model: str) -> Batch:
    """A batch of five variables, of which two count, after all stages."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(240, 5))
    y = np.sin(X[:, 0]) + 0.5 * X[:, 1] ** 2 + 0.01 * rng.normal(size=240)
    if task == "classification":
        y = np.digitize(y, [0.0, 0.6]).astype(float)
    stages: Mapping[str, Mapping[str, object]] = {"train": {"model": model}, "sequentialize": {"window_rows": 3}}
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
