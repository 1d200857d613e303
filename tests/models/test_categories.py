"""Categories of many values: encoded inside the training rows, or known to the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cemai_opt.core.batch import Samples, Task
from cemai_opt.models import MODELS, _categories
from cemai_opt.models._categories import fitted_encoder
from tests.finished import CHEAP, solving

N, N_LEVELS = 600, 30
RNG = np.random.default_rng(0)
EFFECT = RNG.normal(size=N_LEVELS)
TASKS = {
    "regression": Task(kind="regression", score="r2", n_levels=(N_LEVELS,)),
    "classification": Task(kind="classification", score="f1_macro", n_classes=3, n_levels=(N_LEVELS,)),
}


def samples(task: str, window: int = 2) -> Samples:
    """A useless number, then the code of a tool whose effect is the target."""
    codes = np.random.default_rng(1).integers(0, N_LEVELS, (N, window))
    X = np.stack([np.random.default_rng(2).normal(size=(N, window)), codes], axis=2).astype(np.float32)
    y = EFFECT[codes[:, -1]] + 0.1 * np.random.default_rng(3).normal(size=N)
    y = y if task == "regression" else np.digitize(y, [-0.4, 0.4]).astype(float)
    return Samples(X, y, np.arange(N) // 20)


FLAT = [(task, name) for task in TASKS for name in solving(task) if name not in ("cnn", "lstm")]


@pytest.mark.parametrize(("task", "name"), FLAT)
def test_every_model_learns_from_a_category_and_is_restored_with_it(task: str, name: str, tmp_path: Path) -> None:
    """Predictions of a restored model are those of the fitted one, unknown categories included."""
    kind, data = MODELS.require(name), samples(task)
    known = {h.name for h in kind.hyperparameters(task)}
    quick = {k: v for k, v in {**CHEAP, "n_estimators": 40, "epochs": 60, "learning_rate": 0.1}.items() if k in known}
    quick |= {"learning_rate": 0.01} if "epochs" in known else {}
    model = kind(quick, TASKS[task])
    model.fit(data)
    predicted = model.predict(data.X).value
    assert np.corrcoef(predicted, data.y)[0, 1] > 0.6
    new = data.X[:50].copy()
    new[:, :, -1] = -1.0
    assert np.isfinite(model.predict(new).value).all()
    restored = kind.restored(tmp_path, model.save(tmp_path), params=model.params, task=TASKS[task])
    for rows in (data.X, new):
        assert np.array_equal(restored.predict(rows).value, model.predict(rows).value)


def test_a_training_row_is_encoded_without_its_own_target() -> None:
    """Where categories say nothing, target encoding of training rows says nothing either; of its own it would."""
    rng = np.random.default_rng(0)
    codes, y = rng.integers(0, 150, 600), rng.normal(size=600)
    X = codes[:, None, None].astype(np.float32)
    task = Task(kind="regression", score="r2", n_levels=(150,))
    encoder, encoded = fitted_encoder(X, y, group=np.arange(600) // 10, task=task, encoding="target")
    own = encoder.encoded(X)
    assert np.corrcoef(own[:, 0, 0], y)[0, 1] > 0.3
    assert abs(np.corrcoef(encoded[:, 0, 0], y)[0, 1]) < 0.15


def test_a_frequency_is_the_share_of_a_category() -> None:
    """Relative to the average one; 0 for a new one."""
    codes = np.array([0] * 6 + [1] * 2)
    X = codes[:, None, None].astype(np.float32)
    task = Task(kind="regression", score="r2", n_levels=(2,))
    encoder, encoded = fitted_encoder(X, codes * 1.0, group=codes, task=task, encoding="frequency")
    assert encoded[[0, 7], 0, 0].tolist() == [1.5, 0.5]
    assert encoder.encoded(np.full((1, 1, 1), -1.0))[0, 0, 0] == 0.0


def test_one_hot_is_a_column_for_each_of_the_most_frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of their codes; zeros for the others, and for a new one."""
    monkeypatch.setattr(_categories, "MAX_COLUMNS", 2)
    codes = np.array([3, 3, 1, 0, 1, 3])
    X = codes[:, None, None].astype(np.float32)
    task = Task(kind="regression", score="r2", n_levels=(4,))
    encoder, encoded = fitted_encoder(X, codes * 1.0, group=codes, task=task, encoding="one_hot")
    assert encoded[:, 0].tolist() == [[0, 1], [0, 1], [1, 0], [0, 0], [1, 0], [0, 1]]
    assert encoder.encoded(np.array([[[2.0]], [[-1.0]]]))[:, 0].tolist() == [[0, 0], [0, 0]]


def test_several_classes_have_a_number_each() -> None:
    """Also one that did not occur in these rows."""
    data = samples("classification")
    y = np.where(data.y == 1.0, 0.0, data.y)
    encoder, encoded = fitted_encoder(data.X, y, group=data.group, task=TASKS["classification"], encoding="target")
    assert encoder.tables[0].shape[0] == N_LEVELS + 1
    assert encoded.shape[2] == 1 + encoder.tables[0].shape[1]


def test_too_many_categories_are_encoded_for_trees_as_well() -> None:
    """Their bins have 8 bits."""
    kind = MODELS.require("gradient_boosting")
    for n_levels, is_native in ((250, True), (300, False)):
        task = Task(kind="regression", score="r2", n_levels=(n_levels,))
        assert kind({}, task).gets_categories is is_native
