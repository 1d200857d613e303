"""Kernel machines by their values at landmarks."""

from __future__ import annotations

import numpy as np
import pytest

from cemai_opt.core.batch import FloatArray, Samples, Task
from cemai_opt.models import MODELS, nystroem

RNG = np.random.default_rng(0)
X = (RNG.normal(size=(200, 1, 3)) * [1.0, 100.0, 0.01] + [0.0, 500.0, 3.0]).astype(np.float32)
WAVY = np.sin(2.0 * X[:, 0, 0]) + X[:, 0, 0] * (X[:, 0, 1] - 500.0) / 100.0


def _predictions(X: FloatArray, y: FloatArray, *, new: FloatArray, **params: float) -> FloatArray:
    model = MODELS.find("nystroem")(params, Task(kind="regression", score="r2"))
    model.fit(Samples(X, y, np.zeros(len(X), np.int64)))
    return model.predict(new).value


def test_with_all_rows_as_landmarks_it_is_scikit_learn() -> None:
    """Its map and ridge regression, whose landmarks are the same rows then."""
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    flat = X.reshape(len(X), -1).astype(np.float64)
    library = make_pipeline(StandardScaler(), Nystroem(gamma=0.5 / 3, n_components=150), Ridge(alpha=0.1))
    library.fit(flat[:150], WAVY[:150])
    found = _predictions(X[:150], WAVY[:150], new=X[150:], gamma=0.5, alpha=0.1, n_components=1000)
    assert found == pytest.approx(library.predict(flat[150:]), abs=1e-3)


def test_fewer_landmarks_learn_an_interaction() -> None:
    """Which no additive model knows."""
    found = _predictions(X[:150], WAVY[:150], new=X[150:], n_components=60, gamma=1.0, alpha=0.01)
    assert 1.0 - np.mean((found - WAVY[150:]) ** 2) / WAVY[150:].var() > 0.8


def test_units_do_not_matter() -> None:
    """Variables are standardised inside."""
    scaled = X * np.array([1000.0, 1.0, 1.0], np.float32)
    assert _predictions(scaled[:150], WAVY[:150], new=scaled[150:]) == pytest.approx(
        _predictions(X[:150], WAVY[:150], new=X[150:]), abs=1e-4
    )


def test_constant_columns_and_equal_rows_are_harmless() -> None:
    """A column without spread counts for nothing, and landmarks may be equal."""
    same = np.repeat(X[:20], 10, axis=0)
    same[:, :, 2] = 7.0
    assert np.isfinite(_predictions(same, np.repeat(WAVY[:20], 10), new=X)).all()


@pytest.mark.parametrize("n_classes", [0, 3])
def test_many_rows_are_predicted_in_parts(n_classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last bit the same, scores by class too."""
    kind = "classification" if n_classes else "regression"
    y = np.digitize(WAVY, [-1.0, 1.0]).astype(float) if n_classes else WAVY
    model = MODELS.find("nystroem")({}, Task(kind=kind, score="f1_macro" if n_classes else "r2", n_classes=n_classes))
    model.fit(Samples(X, y, np.zeros(len(X), np.int64)))
    whole = model.predict(X)
    monkeypatch.setattr(nystroem, "CHUNK_VALUES", 1000)
    parts = model.predict(X)
    assert np.array_equal(parts.value, whole.value)
    assert whole.by_class is None or np.array_equal(parts.by_class, whole.by_class)
