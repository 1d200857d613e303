"""A fitted model that was written, read back, and turned into ONNX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cemai_opt.core.batch import Samples, Task
from cemai_opt.core.errors import StudyError
from cemai_opt.models import MODELS, Model
from tests.contracts.test_every_model import fitted, samples

TASKS = [
    Task(kind="regression", score="r2"),
    Task(kind="classification", score="f1", n_classes=2),
    Task(kind="classification", score="f1_macro", n_classes=3),
]
SOLVED = [(name, task) for name in MODELS.names for task in TASKS if task.kind in MODELS.find(name).tasks]
IDS = [f"{name}-{task.n_classes or 'no'}-classes" for name, task in SOLVED]


def saved(model: Model, folder: Path) -> Model:
    """The model after a way through files."""
    return type(model).restored(folder, model.save(folder), params=model.params, task=model.task)


@pytest.mark.parametrize(("name", "task"), SOLVED, ids=IDS)
@pytest.mark.parametrize("window", [1, 6])
def test_a_model_that_was_saved_predicts_the_same(name: str, task: Task, window: int, tmp_path: Path) -> None:
    """To the last bit, values and scores by class."""
    data = samples(task.n_classes, window)
    model = fitted(name, task, data)
    before, after = model.predict(data.X), saved(model, tmp_path).predict(data.X)
    assert np.array_equal(before.value, after.value)
    if before.by_class is not None:
        assert np.array_equal(before.by_class, after.by_class)


@pytest.mark.parametrize(("name", "task"), SOLVED, ids=IDS)
def test_what_is_saved_holds_no_code(name: str, task: Task, tmp_path: Path) -> None:
    """No pickle anywhere: not in the file, not in what a zip file holds."""
    fitted(name, task, samples(task.n_classes)).save(tmp_path)
    files = list(tmp_path.iterdir())
    assert files
    for file in files:
        assert file.suffix in (".skops", ".ubj", ".txt", ".safetensors")
        assert not file.read_bytes().startswith((b"\x80\x03", b"\x80\x04", b"\x80\x05"))


@pytest.mark.parametrize(("name", "task"), SOLVED, ids=IDS)
@pytest.mark.parametrize("n", [1, 7, 300])
def test_a_row_is_predicted_alike_whatever_stands_beside_it(name: str, task: Task, n: int) -> None:
    """Alone, in a small batch, in a large one: the same bits."""
    data = samples(task.n_classes, 6)
    model = fitted(name, task, data)
    rng = np.random.default_rng(1)
    X = rng.normal(size=(1000, 6, 3)).astype(np.float32)
    all_together = model.predict(X)
    for first in (0, 3, 500):
        part = model.predict(X[first : first + n])
        assert np.array_equal(part.value, all_together.value[first : first + n])
        if part.by_class is not None and all_together.by_class is not None:
            assert np.array_equal(part.by_class, all_together.by_class[first : first + n])


@pytest.mark.parametrize(("name", "task"), SOLVED, ids=IDS)
@pytest.mark.parametrize("window", [1, 6])
def test_the_onnx_graph_predicts_nearly_the_same(name: str, task: Task, window: int) -> None:
    """On rows that training never saw, one at a time as well; scores by class too."""
    ort = pytest.importorskip("onnxruntime")
    data = samples(task.n_classes, window)
    model = fitted(name, task, data)
    session = ort.InferenceSession(model.onnx(window, 3).SerializeToString(), providers=["CPUExecutionProvider"])
    X = np.random.default_rng(1).normal(size=(500, window, 3)).astype(np.float32)
    native = model.predict(X)
    for rows in (slice(None), slice(7, 8)):
        (output,) = session.run(None, {"X": X[rows]})
        wanted = native.value if native.by_class is None else native.by_class
        assert np.allclose(output, wanted[rows], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", MODELS.names)
def test_a_class_that_training_lacks_stays_lacking(name: str, tmp_path: Path) -> None:
    """Saved and as ONNX, a model of classes 1 and 2 of 0..2 is what it was; so is one of a single class."""
    ort = pytest.importorskip("onnxruntime")
    data = samples(2)
    for y in (data.y + 1, np.full_like(data.y, 2.0)):
        model = fitted(name, Task(kind="classification", score="f1_macro", n_classes=3), Samples(data.X, y, data.group))
        native = model.predict(data.X)
        again = saved(model, tmp_path).predict(data.X)
        assert np.array_equal(native.by_class, again.by_class)  # type: ignore[arg-type]  # classes have scores
        session = ort.InferenceSession(model.onnx(4, 3).SerializeToString(), providers=["CPUExecutionProvider"])
        (scores,) = session.run(None, {"X": data.X})
        assert np.array_equal(scores.argmax(axis=1), native.value)


def test_a_type_that_no_export_writes_is_refused(tmp_path: Path) -> None:
    """A file with another estimator in it is not loaded, however harmless that is."""
    import skops.io
    from sklearn.cluster import KMeans
    from sklearn.neighbors import KernelDensity

    model = fitted("decision_tree", TASKS[0], samples())
    state = model.save(tmp_path)
    skops.io.dump({"a": KMeans, "b": KernelDensity().fit(np.zeros((3, 1)))}, tmp_path / "model.skops")
    with pytest.raises(StudyError, match="holds"):
        type(model).restored(tmp_path, state, params={}, task=TASKS[0])


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_a_damaged_booster_does_not_end_the_process(name: str, tmp_path: Path) -> None:
    """Whoever changes the file may write a fitting checksum; the library's reader of it can crash."""
    model = fitted(name, TASKS[0], samples(0))
    state = model.save(tmp_path)
    (file,) = tmp_path.iterdir()
    whole, rng = file.read_bytes(), np.random.default_rng(3)
    n_refused = 0
    for share in (0.1, 0.3, 0.5, 0.9):
        changed = bytearray(whole[: int(share * len(whole))] if share > 0.5 else whole)
        for place in rng.integers(len(changed), size=20):
            changed[place] ^= 1 << int(rng.integers(8))
        file.write_bytes(bytes(changed))
        try:
            type(model).restored(tmp_path, state, params=model.params, task=model.task)
        except StudyError as error:
            n_refused += "is damaged" in error.message
    assert n_refused > 0
