"""From a front member to predictions of new rows, for every model."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from cemai_opt.api import optimize
from cemai_opt.compose import reopen
from cemai_opt.core.errors import StudyError
from cemai_opt.deploy import export
from cemai_opt.deploy.export import Exported
from cemai_opt.deploy.model_folder import load_model
from cemai_opt.deploy.picked import Picked, pick
from cemai_opt.deploy.predict_file import predict_file
from cemai_opt.models import MODELS
from cemai_opt.pipeline import build_pipeline
from cemai_opt.runs import RunFolder
from tests.conftest import Cli
from tests.finished import finished_run, picked_with, tools

OTHER_KEYS = ("co2_eq_emissions", "model-index")
"""Keys of a card's metadata that their documentation describes, and their class takes as any other."""
FEATURES = {"rolling": "mean_std_range", "window_rows": 6, "trend": "slope_sin_cos", "since_start": True}
TASKS = ("regression", "classification")


def rows_of(task: str) -> Path:
    return finished_run(task).path.parent / "rows.csv"


def trained_predictions(picked: Picked) -> np.ndarray:
    """One training more, beside the export: predictions of the test rows, by row of the file; NaN elsewhere."""
    prepared = reopen(picked.folder)
    _, batch = build_pipeline(prepared.study).fitted(picked.plan(prepared.study))
    assert batch is not None
    assert batch.prediction is not None
    by_row = np.full(len(prepared.data.y), np.nan)
    by_row[batch.eval_rows] = batch.prediction.value
    return by_row  # the file has its groups in order already


def export_of(picked: Picked, out: Path) -> Exported:
    """The member in a model folder."""
    prepared = reopen(picked.folder)
    return export.export_model(picked, out, study=prepared.study, rows=prepared.data)


@pytest.fixture(scope="module")
def ridge(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """An exported ridge on windows and features of the past."""
    picked = picked_with("regression", "ridge", featurize=FEATURES, sequentialize={"window_rows": 4})
    return export_of(picked, tmp_path_factory.mktemp("export") / "ridge")


@pytest.mark.parametrize("model", MODELS.names)
@pytest.mark.parametrize("task", TASKS)
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
        told = predict_file(trained, rows_of(task), out=tmp_path / f"{form}.csv", with_scores=bool(classes))
        got = pd.read_csv(tmp_path / f"{form}.csv")
        assert len(got) == told.rows == len(wanted)
        assert told.carbon_g > 0
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


def test_rows_may_come_in_any_order_and_kind(ridge: Exported, tmp_path: Path) -> None:
    """A shuffled CSV, a Parquet file, a folder of groups and a frame: each row is predicted the same."""
    trained, frame = load_model(ridge.folder), tools().drop(columns=["worn", "tool_wear"])
    wanted = trained.predict(frame)
    shuffled = frame.sample(frac=1.0, random_state=1)
    assert np.array_equal(trained.predict(shuffled), wanted[shuffled.index])
    shuffled.to_parquet(tmp_path / "new.parquet")
    (tmp_path / "folder").mkdir()
    for name, rows in frame.groupby("run", sort=False):
        rows.to_parquet(tmp_path / "folder" / f"{name}.parquet")
    for data, order in ((tmp_path / "new.parquet", shuffled.index), (tmp_path / "folder", frame.index)):
        options = {"ignore": ("file",)} if data.is_dir() else {}
        predict_file(trained, data, out=tmp_path / "out.csv", **options)  # type: ignore[arg-type]  # names of columns
        got = pd.read_csv(tmp_path / "out.csv")
        assert np.array_equal(got["prediction"], wanted[order])
        assert got["run"].tolist() == frame["run"][order].tolist()


def test_a_file_is_read_in_pieces(ridge: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces and blocks of a few rows give what the whole file gives: no window ends where a piece does."""
    from cemai_opt.datasets import tabular
    from cemai_opt.deploy import scorer

    trained = load_model(ridge.folder)
    predict_file(trained, rows_of("regression"), out=tmp_path / "whole.csv")
    monkeypatch.setattr(tabular, "PIECE_ROWS", 57)
    monkeypatch.setattr(scorer, "BLOCK_VALUES", 1)
    monkeypatch.setattr(scorer, "MIN_BLOCK_ROWS", 19)
    predict_file(trained, rows_of("regression"), out=tmp_path / "pieces.csv")
    assert max(len(piece) for piece in tabular.pieces(rows_of("regression"), ["run"])) <= 57
    assert (tmp_path / "whole.csv").read_text() == (tmp_path / "pieces.csv").read_text()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows.drop(columns="force_c"), "lacks the input column 'force_c'"),
        (lambda rows: rows.drop(columns="run"), "lacks the group column 'run'"),
        (lambda rows: rows.drop(columns="cut"), "lacks the time column 'cut'"),
        (lambda rows: rows.assign(humidity=1.0), "has a column 'humidity' that is not an input of the model"),
        (lambda rows: rows.assign(force_c="high"), "was numeric in training, but holds 'high' in row 0"),
        (lambda rows: rows.assign(force_c=np.inf), "infinite values"),
        (lambda rows: rows[:0], "no rows"),
    ],
)
def test_other_columns_are_a_clear_error(ridge: Exported, tmp_path: Path, change, says: str) -> None:  # type: ignore[no-untyped-def]  # of frames
    """One message that names the column; nothing is written."""
    change(pd.read_csv(rows_of("regression"))).to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(StudyError, match=re.escape(says)):
        predict_file(load_model(ridge.folder), tmp_path / "new.csv", out=tmp_path / "p.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]


def test_a_lacking_column_is_one_message(ridge: Exported, cli: Cli, tmp_path: Path) -> None:
    """What lacks, what may be meant, exit 2."""
    rows = pd.read_csv(rows_of("regression")).rename(columns={"force_c": "force_cc"})
    rows.to_csv(tmp_path / "new.csv", index=False)
    done = cli("predict", ridge.folder, "--data", "new.csv", "--out", "p.csv")
    assert done.returncode == 2
    assert "lacks the input column 'force_c'" in done.stderr
    assert "did you mean 'force_cc'" in done.stderr
    assert "Traceback" not in done.stderr


def test_columns_may_be_ignored_and_new_words_are_told(ridge: Exported, cli: Cli, tmp_path: Path) -> None:
    """`--ignore` lets an extra column be; a word that training never saw is counted with a note."""
    rows = pd.read_csv(rows_of("regression")).assign(humidity=1.0)
    rows.loc[:2, "material"] = "titanium"
    rows.to_csv(tmp_path / "new.csv", index=False)
    done = cli("predict", ridge.folder, "--data", "new.csv", "--out", "p.csv", "--ignore", "humidity", "--json")
    assert done.returncode == 0, done.stderr
    assert "column 'material': 3 rows hold a value that did not occur in training" in done.stderr
    told = json.loads(done.stdout)
    assert told["rows"] == len(rows) == len(pd.read_csv(tmp_path / "p.csv"))
    assert told["whole_process_g"] > told["carbon_g"] > 0


def test_a_tampered_file_is_refused(tmp_path: Path) -> None:
    """Whichever file of the folder it is, a single byte is enough; a missing file too."""
    exported = export_of(picked_with("regression", "decision_tree"), tmp_path / "model")
    load_model(exported.folder)
    for file in sorted(exported.folder.iterdir()):
        content = file.read_bytes()
        file.write_bytes(content[:-2] + b"?" + content[-1:])
        with pytest.raises(StudyError, match=r"was changed after the export|is damaged"):
            load_model(exported.folder)
        file.unlink()
        with pytest.raises(StudyError, match=rf"lacks {file.name}|holds no exported model"):
            load_model(exported.folder)
        file.write_bytes(content)
    load_model(exported.folder)


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
    """An earlier export is replaced, a folder with other things in it is not touched."""
    picked = pick(RunFolder(finished_run("regression").path), "knee")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("dear")
    with pytest.raises(StudyError, match="is not empty"):
        export_of(picked, tmp_path / "mine")
    export_of(picked, tmp_path / "model")
    export_of(picked, tmp_path / "model")
    load_model(tmp_path / "model")


def test_the_exported_configuration_scores_the_same(ridge: Exported, cli: Cli) -> None:
    """`run config.yaml` trains that pipeline once more, from the folder alone."""
    done = cli("run", ridge.folder / "config.yaml", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["test"] == pytest.approx(ridge.document.test.value, abs=1e-12)


def test_d2m_has_its_ten_sections(cli: Cli, tmp_path: Path) -> None:
    """The layout of the pipeline that CEMAI measured; what it cannot say is told."""
    done = cli("export", finished_run("regression").path, "--format", "d2m", "--out", tmp_path / "d2m")
    assert done.returncode == 0, done.stderr
    params = yaml.safe_load((tmp_path / "d2m" / "params.yaml").read_text())
    sections = ["profile", "clean", "featurize", "split", "scale", "sequentialize", "train", "evaluate", "explain"]
    assert list(params) == sections
    assert params["clean"]["target"] == "tool_wear"
    assert "force_c" in params["featurize"]["variables_to_include"]
    assert "cannot be expressed in d2m" in done.stderr


def test_the_card_is_one_of_hugging_face(ridge: Exported) -> None:
    """Their own classes read its metadata, emissions and scores; the text has their sections."""
    hub = pytest.importorskip("huggingface_hub")
    card = hub.ModelCard((ridge.folder / "MODEL_CARD.md").read_text())
    emissions = card.data.to_dict()["co2_eq_emissions"]
    assert emissions["emissions"] == ridge.document.training.carbon_g > 0
    assert set(emissions) == {"emissions", "source", "training_type", "geographical_location", "hardware_used"}
    by_metric = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert by_metric["r2"] == ridge.document.test.value
    assert card.data.pipeline_tag == "tabular-regression"
    assert not card.data.to_dict().keys() - {*inspect.signature(hub.ModelCardData).parameters, *OTHER_KEYS}
    sections = ("Model Details", "Uses", "Bias, Risks, and Limitations", "How to Get Started with the Model")
    for section in (*sections, "Training Details", "Evaluation", "Environmental Impact", "Technical Specifications"):
        assert f"\n## {section}\n" in card.text
    assert "95 % interval" in card.text
    assert "the search that found it" in card.text
    assert "is paid back" in card.text or "nothing to choose" in card.text


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
