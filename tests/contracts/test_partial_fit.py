"""What every model promises whose training can go on with new rows only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cemai_opt.core.batch import Samples, Task
from cemai_opt.core.errors import StudyError
from cemai_opt.models import MODELS, Model
from tests.contracts.test_every_model import fitted

N_KNOWN, N_NEW = 400, 800
TASKS = [
    Task(kind="regression", score="r2"),
    Task(kind="classification", score="f1", n_classes=2),
    Task(kind="classification", score="f1_macro", n_classes=3),
]
CONTINUING = [
    (name, task)
    for name in MODELS.names
    for task in TASKS
    if MODELS.find(name).continues and task.kind in MODELS.find(name).tasks
]
IDS = [f"{name}-{task.n_classes or 'no'}-classes" for name, task in CONTINUING]


def drifting(n_classes: int) -> tuple[Samples, Samples]:
    """Rows from before and after a change: the second variable then has the opposite effect."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_KNOWN + N_NEW, 2, 3)).astype(np.float32)
    sign = np.where(np.arange(len(X)) < N_KNOWN, 1.0, -1.0)
    signal = X[:, -1, 0] + 3.0 * sign * X[:, -1, 1]
    y = signal if not n_classes else np.digitize(signal, np.quantile(signal, np.arange(1, n_classes) / n_classes))
    group = np.arange(len(X)) // 20
    known, new = (slice(None, N_KNOWN), slice(N_KNOWN, None))
    return Samples(X[known], y[known].astype(float), group[known]), Samples(X[new], y[new].astype(float), group[new])


def error(model: Model, rows: Samples) -> float:
    return float(np.mean((model.predict(rows.X).value - rows.y) ** 2))


def after_files(model: Model, folder: Path) -> Model:
    """The model as an update finds it."""
    return type(model).restored(folder, model.save(folder), params=model.params, task=model.task)


@pytest.mark.parametrize(("name", "task"), CONTINUING, ids=IDS)
def test_it_learns_what_has_changed(name: str, task: Task, tmp_path: Path) -> None:
    """The error on the new rows falls, and a model from a file goes on like the one in memory."""
    known, new = drifting(task.n_classes)
    model = fitted(name, task, known)
    model.summarize(known)
    restored = after_files(model, tmp_path)
    before = error(model, new)
    for one in (model, restored):
        assert one.why_not_partial_fit(new.y) == ""
        one.partial_fit(new, n_known=N_KNOWN)
    assert error(model, new) < before
    assert np.allclose(restored.predict(new.X).value, model.predict(new.X).value)


@pytest.mark.parametrize(("name", "task"), CONTINUING, ids=IDS)
def test_a_class_that_it_has_not_seen_ends_it(name: str, task: Task) -> None:
    """Its outputs have no place for it; the model stays as it is."""
    if not task.is_classification:
        return
    known, new = drifting(task.n_classes)
    of_first_classes = Samples(known.X, np.minimum(known.y, task.n_classes - 2), known.group)
    model = fitted(name, task, of_first_classes)
    model.summarize(of_first_classes)
    with pytest.raises(StudyError, match="has not seen"):
        model.partial_fit(new, n_known=N_KNOWN)


@pytest.mark.parametrize(
    ("name", "task"), [(name, task) for name, task in CONTINUING if MODELS.find(name).partial_fit_is_exact]
)
def test_an_exact_one_is_the_fit_to_all_rows(name: str, task: Task) -> None:
    """Ridge from sums over the rows, with the knots of a spline where they were."""
    known, new = drifting(task.n_classes)
    model = fitted(name, task, known)
    model.summarize(known)
    model.partial_fit(new, n_known=N_KNOWN)
    if name != "ridge":
        return  # its knots follow the first rows
    both = Samples(*(np.concatenate(pair) for pair in zip(vars(known).values(), vars(new).values(), strict=True)))
    refitted = fitted(name, task, both)
    assert np.allclose(model.predict(both.X).value, refitted.predict(both.X).value, rtol=1e-9, atol=1e-9)


def test_others_say_that_they_have_to_be_refitted() -> None:
    """A forest is made of trees on all rows."""
    known, new = drifting(0)
    with pytest.raises(StudyError, match="fitted to all rows at once"):
        fitted("random_forest", TASKS[0], known).partial_fit(new, n_known=N_KNOWN)


def test_without_the_sums_ridge_says_so() -> None:
    """They are kept when a model is exported, not in every trial."""
    known, new = drifting(0)
    with pytest.raises(StudyError, match="sums over its training rows"):
        fitted("ridge", TASKS[0], known).partial_fit(new, n_known=N_KNOWN)
