"""From a front member to predictions of new rows, for every model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt.api import optimize
from cemai_opt.compose import reopen
from cemai_opt.core.errors import StudyError
from cemai_opt.deploy import export
from cemai_opt.deploy.export import check_free
from cemai_opt.deploy.model_folder import FORMS, LOG_FORMAT, load_model
from cemai_opt.deploy.picked import Picked, pick
from cemai_opt.deploy.predict_file import predict_file
from cemai_opt.pipeline import build_pipeline
from cemai_opt.runs import RunFolder
from tests.deploy.conftest import FEATURES, export_of, rows_of
from tests.finished import finished_run, picked_with, solving

TASKS = ("regression", "classification")


def trained_predictions(picked: Picked) -> np.ndarray:
    """One training more, beside the export: predictions of the test rows, by row of the file; NaN elsewhere."""
    prepared = reopen(picked.folder)
    _, batch = build_pipeline(prepared.study).fitted(picked.plans(prepared.study)[0])
    assert batch is not None
    assert batch.prediction is not None
    by_row = np.full(len(prepared.data.y), np.nan)
    by_row[batch.eval_rows] = batch.prediction.value
    return by_row  # the file has its groups in order already


@pytest.mark.parametrize(("task", "model"), [(task, model) for task in TASKS for model in solving(task)])
def test_every_model_goes_out_and_predicts_as_in_training(
    task: str, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Raw rows in, every row predicted once; on test rows the bits of training, with ONNX nearly so."""
    monkeypatch.setattr(export, "html_report", lambda view: "<!doctype html>")  # the page has tests of its own
    picked = picked_with(task, model, featurize=FEATURES, sequentialize={"window_rows": 4})
    exported = export_of(picked, tmp_path / "model")
    wanted = trained_predictions(picked)
    tested = np.isfinite(wanted)
    assert tested.any()
    classes = exported.document.classes
    for form in ("native", "onnx"):
        trained = load_model(tmp_path / "model", form)
        done = predict_file(trained, rows_of(task), out=tmp_path / f"{form}.csv", with_scores=bool(classes))
        got = pd.read_csv(tmp_path / f"{form}.csv")
        assert len(got) == done.rows == len(wanted)
        assert done.carbon_g > 0
        names = np.array(classes, object)
        expected = names[wanted[tested].astype(int)] if classes else wanted[tested]
        predicted = got["prediction"].to_numpy()[tested]
        if form == "native":
            assert (predicted == expected).all()
        elif classes:
            assert (predicted == expected).mean() > 0.99
        else:
            assert (np.abs(predicted - expected) < 1e-3 * expected.std()).mean() > 0.99
    assert {f"score_{name}" for name in classes} <= set(got.columns)


@pytest.mark.parametrize("model", ["ridge", "lightgbm"])
def test_a_learnt_logarithm_comes_back_in_the_unit_of_the_target(model: str, tmp_path: Path) -> None:
    """In both forms; versions that would take it for the prediction refuse the folder."""
    picked = picked_with("regression", model, scale={"target": "log"})
    exported = export_of(picked, tmp_path / "model")
    assert exported.document.format == LOG_FORMAT
    wanted = trained_predictions(picked)
    tested = np.isfinite(wanted)
    assert (wanted[tested] > 0.0).all()
    native, onnx = (
        load_model(tmp_path / "model", form).predict(pd.read_csv(rows_of("regression")))[tested] for form in FORMS
    )
    assert (native == wanted[tested]).all()
    assert onnx == pytest.approx(native, rel=1e-3)


@pytest.mark.parametrize("task", TASKS)
def test_the_folder_holds_what_is_deployed(task: str, tmp_path: Path) -> None:
    """Configuration, model in both forms, card, report, sidecar; nothing that is pickled."""
    run = finished_run(task)
    trained = run.export(tmp_path / "model")
    names = {file.name for file in (tmp_path / "model").iterdir()}
    assert names >= {"config.yaml", "MODEL_CARD.md", "report.html", "model.json", "model.onnx"}
    assert not any(name.endswith((".pkl", ".joblib", ".pt", ".pickle")) for name in names)
    document, knee = trained.document, run.front.knee
    assert knee is not None
    assert document.picked.trial == knee.trial
    assert document.test.value == pytest.approx(knee.test, abs=1e-12)
    assert document.native.differing == 0
    assert document.onnx.parity is not None
    assert document.onnx.parity.rows == document.test.rows
    interval = document.test.interval
    assert interval is not None
    assert interval.low <= document.test.value <= interval.high


def test_a_model_for_use_has_seen_the_test_rows_too_and_its_score_is_from_before(tmp_path: Path) -> None:
    """The score is that of the pipeline without them; the document, the card and the command say what was done."""
    picked = picked_with("regression", "ridge")
    prepared = reopen(picked.folder)
    without, everything = (
        export.export_model(
            picked, tmp_path / str(choice), study=prepared.study, rows=prepared.data, with_test_rows=choice
        )
        for choice in (False, None)
    )
    rows = pd.read_csv(rows_of("regression"))
    assert without.document.training.rows == len(rows) - without.document.test.rows
    assert everything.document.training.rows == len(rows)
    assert everything.document.test == without.document.test
    assert everything.document.native.differing == 0
    assert without.document.training.test_j == 0.0 < everything.document.training.test_j
    of_test = np.isfinite(trained_predictions(picked))
    errors = [
        (load_model(exported.folder).predict(rows) - rows["tool_wear"].to_numpy())[of_test].std()
        for exported in (without, everything)
    ]
    assert errors[1] < errors[0]
    said = ["trained on all" in (exported.folder / "MODEL_CARD.md").read_text() for exported in (without, everything)]
    assert said == [False, True]


def test_named_test_rows_are_kept_out_of_the_model(tmp_path: Path) -> None:
    """Somebody set them aside; rows that the product drew itself were not."""
    options = {"group": "run", "target": "tool_wear", "space": "quick", "trials": 2, "engine": "in_process"}
    rows = pd.read_csv(rows_of("regression")).drop(columns="cut")
    run = optimize(rows, out=tmp_path / "run", test_groups=["tool00"], confirm=0, **options)
    assert not run.export(tmp_path / "kept", "greenest").document.training.with_test_rows
    model = run.export(tmp_path / "all", "greenest", with_test_rows=True)
    assert model.document.training.with_test_rows
    assert model.document.training.rows == len(rows)


def test_other_rows_than_those_of_the_run_are_refused(tmp_path: Path) -> None:
    """A model of changed rows would not be the one that was scored."""
    rows = pd.read_csv(rows_of("regression"))
    rows.loc[0, "force_c"] += 1.0
    rows.to_csv(tmp_path / "changed.csv", index=False)
    picked = pick(RunFolder(finished_run("regression").path), "knee")
    with pytest.raises(StudyError, match="not those of the run"):
        reopen(picked.folder, str(tmp_path / "changed.csv"))
    assert not (tmp_path / "model").exists()


def test_nothing_else_is_overwritten(tmp_path: Path) -> None:
    """An earlier export is replaced; a folder with other things in it is not touched, nor is a link followed."""
    picked = pick(RunFolder(finished_run("regression").path), "knee")
    for name in ("thesis.tex", "model.json"):  # another program's model.json makes no export of ours
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("{}")
        with pytest.raises(StudyError, match="is not empty"):
            check_free(tmp_path / name)
    (tmp_path / "link").symlink_to(tmp_path / "model")
    for path, message in ((tmp_path / "link", "is a link"), (Path(), "current folder")):
        with pytest.raises(StudyError, match=message):
            check_free(path)
    export_of(picked, tmp_path / "model")
    export_of(picked, tmp_path / "model")
    load_model(tmp_path / "model")
    (tmp_path / "model" / "predictions.csv").write_text("row,prediction\n0,1.5\n")
    with pytest.raises(StudyError, match=r"also holds predictions\.csv"):
        export_of(picked, tmp_path / "model")
    assert (tmp_path / "model" / "predictions.csv").exists()


@pytest.mark.parametrize("name", ["diabetes", "wine"])
def test_a_real_data_set_goes_all_the_way(name: str, tmp_path: Path) -> None:
    """442 patients, 178 wines (scikit-learn ships both): searched, reported, exported, predicted in both forms."""
    from sklearn import datasets

    rows = getattr(datasets, f"load_{name}")(as_frame=True).frame
    rows.to_csv(tmp_path / "rows.csv", index=False)
    task = "regression" if name == "diabetes" else "classification"
    options = {"task": task, "split": "rows", "space": "tabular", "trials": 6, "confirm": 0, "engine": "in_process"}
    run = optimize(tmp_path / "rows.csv", out=tmp_path / "run", target="target", **options)
    assert run.report().stat().st_size > 10_000
    model = run.export(tmp_path / "model", "best")
    predicted = model.predict(rows.drop(columns="target"))
    other = load_model(tmp_path / "model", "onnx").predict(rows)
    if task == "regression":
        assert np.corrcoef(predicted, rows["target"])[0, 1] > 0.5
        assert np.abs(predicted - other).max() < 1e-3 * predicted.std()
    else:
        assert (predicted == rows["target"].astype(str)).mean() > 0.8
        assert (predicted == other).all()
