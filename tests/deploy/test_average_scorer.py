"""An average of fitted pipelines, from the front to predictions of new rows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt.compose import reopen
from cemai_opt.core.errors import StudyError
from cemai_opt.datasets import NewRows
from cemai_opt.deploy import export
from cemai_opt.deploy.average_scorer import AverageScorer, WeightedScorer, average_scorer, restored_scorer
from cemai_opt.deploy.export import Exported
from cemai_opt.deploy.model_document import AverageDocument
from cemai_opt.deploy.model_folder import AVERAGE_FORMAT, load_model
from cemai_opt.deploy.picked import Picked, d2m_document
from cemai_opt.deploy.predict_file import predict_file
from cemai_opt.pipeline import build_pipeline
from tests.conftest import Cli
from tests.deploy.conftest import FEATURES, GROUP_ROWS, N_GROUPS, export_of, fitted, rows_of, rows_with_gaps
from tests.finished import average_of_picked, finished_run, picked_with

WEIGHTS = (0.25, 0.35, 0.4)
MODELS = {"regression": ("ridge", "extra_trees", "dnn"), "classification": ("logistic", "xgboost", "cnn")}


@pytest.fixture(autouse=True)
def _no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "html_report", lambda view: "<!doctype html>")  # the page has tests of its own


def average(task: str, threshold: float | None = None) -> Picked:
    """An average of three pipelines with different stages."""
    stages: list[dict[str, dict[str, object]]] = [
        {"featurize": FEATURES},
        {"featurize": {"since_start": True}, "sequentialize": {"window_rows": 4}},
        {"sequentialize": {"window_rows": 8}, "scale": {"input": "standard"}},
    ]
    parts = [picked_with(task, model, **own) for model, own in zip(MODELS[task], stages, strict=True)]  # type: ignore[arg-type]  # values
    return average_of_picked(list(zip(WEIGHTS, parts, strict=True)), threshold)


def trained_values(picked: Picked) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the file that are tested, and the weighted mean of what each part predicts, trained on its own."""
    prepared = reopen(picked.folder)
    pipeline, mean = build_pipeline(prepared.study), 0.0
    rows = np.empty(0)
    for plan, (weight, _) in zip(picked.plans(prepared.study), picked.parts, strict=True):
        _, batch = pipeline.fitted(plan)
        assert batch is not None
        assert batch.prediction is not None
        by_class, value = batch.prediction.by_class, batch.prediction.value
        mean = mean + weight * (value if by_class is None else by_class)
        rows = batch.eval_rows
    return rows, np.asarray(mean)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_an_average_goes_out_and_predicts_the_mean_of_its_parts(task: str, tmp_path: Path) -> None:
    """Raw rows in; the native form has the bits of training, one ONNX graph nearly so."""
    picked = average(task)
    exported = export_of(picked, tmp_path / "model")
    rows, mean = trained_values(picked)
    document = exported.document
    assert document.format == AVERAGE_FORMAT
    assert document.training.energy_j > 0.0
    assert isinstance(document.scorer, AverageDocument)
    assert [part.weight for part in document.scorer.parts] == list(WEIGHTS)
    assert document.native.differing == 0
    assert document.onnx.file is not None, document.onnx.why
    for form in ("native", "onnx"):
        out = tmp_path / f"{form}.csv"
        predict_file(load_model(tmp_path / "model", form), rows_of(task), out=out)
        got = pd.read_csv(out)["prediction"].to_numpy()[rows]
        if document.classes:
            assert (got == np.array(document.classes, object)[mean.argmax(axis=1)]).mean() > 0.99
        else:
            assert np.allclose(got, mean, atol=1e-3 * mean.std())


def test_its_threshold_is_its_own(tmp_path: Path) -> None:
    """Of two classes, the second one is predicted above the threshold of the average, not above those of its parts."""
    X, y, group = rows_with_gaps()
    scorer, _ = fitted(X, y, group)
    task = replace(scorer.task, kind="classification", n_classes=2, threshold=0.9)
    parts = [WeightedScorer(replace(scorer, task=task), 1.0, trial=0)]
    assert average_scorer(parts, 0.25).task.threshold == 0.25
    assert average_scorer(parts, None).task.threshold is None


def averaged_pair() -> tuple[AverageScorer, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """An average of a pipeline that looks far back and one that does not, and rows for it."""
    X, y, group = rows_with_gaps()
    far, _ = fitted(X, y, group, featurize=FEATURES, sequentialize={"window_rows": 4})
    near, _ = fitted(X, y, group, scale={"input": "standard"})
    weighted = [WeightedScorer(far, 0.5, trial=0), WeightedScorer(near, 0.5, trial=1)]
    return average_scorer(weighted, None), (X, y, group)


def test_rows_in_blocks_have_the_bits_of_whole_groups() -> None:
    """A block has the history of the part that looks farthest back."""
    scorer, (X, _, group) = averaged_pair()
    whole = scorer.predict(X, group).value
    stored = NewRows(X=X, group=group, order=np.arange(len(X), dtype=float), notes=())
    got = np.full(len(X), np.nan)
    for numbers, prediction in scorer.predict_stored(stored, block_rows=16):
        got[numbers] = prediction.value
    assert (got == whole).all()
    assert len(X) == N_GROUPS * GROUP_ROWS


def test_a_part_outside_the_folder_is_refused(tmp_path: Path) -> None:
    """A document comes from elsewhere: its paths lead nowhere else."""
    scorer, _ = averaged_pair()
    document = scorer.save(tmp_path)
    for folder in ("../elsewhere", "..", "/tmp"):
        outside = replace(document.parts[0], folder=folder)
        with pytest.raises(StudyError, match="not a folder inside"):
            restored_scorer(tmp_path, replace(document, parts=(outside,)))


def test_a_changed_file_of_a_part_is_found(tmp_path: Path) -> None:
    """Checksums cover the folders of the parts."""
    export_of(average("regression"), tmp_path / "model")
    (tmp_path / "model" / "part-0" / "extra").write_text("x")
    assert load_model(tmp_path / "model").form == "native"  # what is not listed is not read
    victim = next(file for file in (tmp_path / "model" / "part-0").iterdir() if file.name != "extra")
    victim.write_bytes(victim.read_bytes() + b"x")
    with pytest.raises(StudyError, match="was changed after the export"):
        load_model(tmp_path / "model")


def test_its_configuration_runs_again(tmp_path: Path, cli: Cli) -> None:
    """`run config.yaml` trains all parts and scores the same average, for the sum of their grams."""
    exported = export_of(average("regression"), tmp_path / "model")
    done = cli("run", exported.folder / "config.yaml", "--json")
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert run["test"] == pytest.approx(exported.document.test.value, abs=1e-12)
    assert run["model"] == "average"


def test_files_of_a_model_stay_together(ridge: Exported, cli: Cli) -> None:
    """Another configuration in its folder would make it a changed model."""
    done = cli("export", finished_run("regression").path, "--format", "config", "--out", ridge.folder)
    assert done.returncode != 0
    assert "holds an exported model" in done.stderr
    assert load_model(ridge.folder).form == "native"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("average: {parts: []}", "at least 1"),
        ("average: {parts: [{weight: -1, config: {train: {model: ridge}}}]}", "greater than 0"),
        ("average: {parts: [{weight: 1}]}", "config"),
        ("average: {treshold: 0.1, parts: [{weight: 1, config: {}}]}", "did you mean 'threshold'"),
        ("average: {parts: [{weight: .inf, config: {}}]}", "finite"),
        ("average: {threshold: .nan, parts: []}", "finite"),
        ("average: 3", "average"),
        ("average: {parts: []}\nconfig: {}", "or several"),
        ("average: {parts: [{weight: 1, config: {train: {model: rigde}}}]}\nstudy: {data: {source: demo}}", "ridge"),
    ],
)
def test_a_configuration_that_is_no_average_is_refused(text: str, said: str, tmp_path: Path, cli: Cli) -> None:
    """In one message."""
    (tmp_path / "config.yaml").write_text(text)
    done = cli("run", tmp_path / "config.yaml")
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_it_has_no_form_in_d2m() -> None:
    """That layout describes one pipeline."""
    picked = average("regression")
    with pytest.raises(StudyError, match="export one of its parts"):
        d2m_document(picked, reopen(picked.folder).data)
