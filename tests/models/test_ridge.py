"""Ridge regressions of more values than are expanded at once."""

from __future__ import annotations

import numpy as np
import pytest

from cemai_opt.core.batch import Samples, Task
from cemai_opt.models import MODELS, _ridge

RNG = np.random.default_rng(0)
X = (RNG.normal(size=(900, 2, 3)) + 50.0).astype(np.float32)


@pytest.mark.parametrize("model", ["ridge", "spline_ridge", "nystroem"])
@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_many_rows_give_the_model_that_few_give(model: str, n_classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Summed up in parts, the solution is the library's."""
    y = X[:, -1, 0] + RNG.normal(size=900)
    if n_classes:
        y = np.digitize(y, np.quantile(y, np.linspace(0, 1, n_classes + 1)[1:-1])).astype(float)
    kind = "classification" if n_classes else "regression"
    task = Task(kind=kind, score="f1_macro" if n_classes else "r2", n_classes=n_classes)
    samples = Samples(X, y, np.repeat(np.arange(9), 100))
    predictions = []
    for limit in (10**9, 1000):
        monkeypatch.setattr(_ridge, "MANY_VALUES", limit)
        fitted = MODELS.find(model)({}, task)
        fitted.fit(samples)
        found = fitted.predict(X)
        predictions.append(found.value if found.by_class is None else found.by_class)
    assert predictions[1] == pytest.approx(predictions[0], abs=1e-6)


def test_one_class_is_a_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in parts."""
    monkeypatch.setattr(_ridge, "MANY_VALUES", 1000)
    fitted = MODELS.find("ridge")({}, Task(kind="classification", score="f1", n_classes=2))
    fitted.fit(Samples(X, np.ones(900), np.zeros(900, np.int64)))
    assert (fitted.predict(X).value == 1.0).all()
