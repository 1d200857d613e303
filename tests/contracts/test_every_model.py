"""What every model promises."""

from __future__ import annotations

import numpy as np
import pytest

from cemai_opt.core.batch import Samples, Task
from cemai_opt.models import MODELS
from tests.finished import solving

CHEAP = {"epochs": 40, "learning_rate": 0.02, "n_estimators": 20, "max_iter": 20}


def samples(n_classes: int = 0, window: int = 4) -> Samples:
    """120 windows of 3 variables in 6 groups; the target follows the last row."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, window, 3)).astype(np.float32)
    signal = X[:, -1, 0] * 2.0 + X[:, -1, 1]
    y = signal if not n_classes else np.digitize(signal, np.quantile(signal, np.arange(1, n_classes) / n_classes))
    return Samples(X, y.astype(float), np.repeat(np.arange(6), 20))


def fitted(name: str, task: Task, data: Samples):  # type: ignore[no-untyped-def]  # a model
    kind = MODELS.require(name)
    hyperparameters = {hyperparameter.name for hyperparameter in kind.hyperparameters(task.kind)}
    model = kind({growth: value for growth, value in CHEAP.items() if growth in hyperparameters}, task)
    model.fit(data)
    return model


@pytest.mark.parametrize("name", solving("regression"))
@pytest.mark.parametrize("window", [1, 5])
def test_a_regression_predicts_a_number_a_row(name: str, window: int) -> None:
    """(n, window, n_features) in, (n,) finite numbers out, better than noise."""
    data = samples(window=window)
    prediction = fitted(name, Task(kind="regression", score="r2"), data).predict(data.X)
    assert prediction.value.shape == (120,)
    assert np.isfinite(prediction.value).all()
    assert np.corrcoef(prediction.value, data.y)[0, 1] > 0.3


@pytest.mark.parametrize("name", solving("classification"))
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_classification_predicts_codes_with_scores(name: str, n_classes: int) -> None:
    """Codes 0..n_classes-1, and a score for every class."""
    data = samples(n_classes)
    prediction = fitted(name, Task(kind="classification", score="f1_macro", n_classes=n_classes), data).predict(data.X)
    assert set(prediction.value) <= set(range(n_classes))
    assert prediction.by_class is not None
    assert prediction.by_class.shape == (120, n_classes)
    assert (prediction.by_class.argmax(axis=1) == prediction.value).mean() > 0.95


@pytest.mark.parametrize("name", solving("classification"))
def test_a_class_that_training_lacks_is_never_predicted(name: str) -> None:
    """Codes stay what they are where a fold lacks a class."""
    data = samples(2)
    shifted = Samples(data.X, data.y + 1, data.group)  # classes 1 and 2 of 0..2
    prediction = fitted(name, Task(kind="classification", score="f1_macro", n_classes=3), shifted).predict(data.X)
    assert prediction.by_class is not None
    assert prediction.by_class.shape == (120, 3)
    assert set(prediction.value) <= {1.0, 2.0}
    assert (prediction.by_class[:, 0] <= prediction.by_class[:, 1:].max(axis=1)).all()


@pytest.mark.parametrize(
    ("name", "task"), [(name, task) for task in ("regression", "classification") for name in solving(task)]
)
def test_hyperparameters_are_well_formed(name: str, task: str) -> None:
    """Defaults lie inside their ranges, logarithmic ranges above zero, names are unique."""
    hyperparameters = MODELS.find(name).hyperparameters(task)
    assert len({hyperparameter.name for hyperparameter in hyperparameters}) == len(hyperparameters)
    for hyperparameter in hyperparameters:
        assert hyperparameter.check(hyperparameter.default) == hyperparameter.default
        assert not hyperparameter.log or hyperparameter.low > 0


def test_one_training_group_is_enough_for_a_network() -> None:
    """With one group the end of it chooses the epoch."""
    data = samples()
    alone = Samples(data.X, data.y, np.zeros(120, int))
    assert np.isfinite(fitted("dnn", Task(kind="regression", score="r2"), alone).predict(data.X).value).all()


WEIGHING = [
    name
    for name in solving("classification")
    if "class_weight" in {h.name for h in MODELS.find(name).hyperparameters("classification")}
]


@pytest.mark.parametrize("name", WEIGHING)
def test_balanced_classes_find_more_of_the_rare_one(name: str) -> None:
    """With one row in ten positive and overlapping classes, weights raise the recall on new rows."""
    rng = np.random.default_rng(0)
    y = (np.arange(1200) % 10 == 0).astype(float)
    X = rng.normal(size=(1200, 2, 3)).astype(np.float32)
    X[:, -1, 0] += y * 1.5
    groups = np.repeat(np.arange(12), 100)
    learn, new = Samples(X[:800], y[:800], groups[:800]), Samples(X[800:], y[800:], groups[800:])
    kind, task = MODELS.require(name), Task(kind="classification", score="f1", n_classes=2)
    depth = {"max_depth": 2} if "max_depth" in {h.name for h in kind.hyperparameters("classification")} else {}
    recall = {}
    for weights in ("none", "balanced"):
        model = kind({"class_weight": weights, **depth}, task)
        model.fit(learn)
        recall[weights] = float((model.predict(new.X).value[new.y == 1] == 1).mean())
    assert recall["balanced"] > recall["none"]


GROWING = [name for name in MODELS.names if MODELS.find(name).grows_by]


@pytest.mark.parametrize("name", GROWING)
@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_a_growing_model_passes_through_every_smaller_one(name: str, n_classes: int) -> None:
    """A callback changes nothing; at a checkpoint the model is that of this size, also if it is stopped there."""
    task_kind, score = ("classification", "f1_macro") if n_classes else ("regression", "r2")
    task, data = Task(kind=task_kind, score=score, n_classes=n_classes), samples(n_classes)
    kind = MODELS.require(name)
    growth = str(kind.grows_by)

    def grown(size: int | None, on_checkpoint=None):  # type: ignore[no-untyped-def]  # a model
        model = kind({growth: size} if size else {}, task)
        model.fit(data, None if on_checkpoint is None else lambda at: on_checkpoint(model, at))
        return model.predict(data.X).value

    seen: dict[int, np.ndarray] = {}

    def look(model, at: int) -> bool:  # type: ignore[no-untyped-def]  # a model
        seen[at] = model.predict(data.X).value
        return True

    assert np.array_equal(grown(None, look), grown(None))
    sizes = list(seen)
    assert len(sizes) >= 3
    assert sizes == sorted(set(sizes))
    middle = sizes[len(sizes) // 2]
    assert np.array_equal(seen[middle], grown(middle))
    assert np.array_equal(grown(None, lambda model, at: at < middle), grown(middle))
