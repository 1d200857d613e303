"""Predictions for a whole file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.datasets import known_pieces
from cemai_opt.deploy.export import Exported
from cemai_opt.deploy.model_folder import load_model
from cemai_opt.deploy.predict_file import predict_file
from tests.conftest import Cli
from tests.deploy.conftest import rows_of
from tests.finished import tools


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


def test_nothing_but_earlier_predictions_is_overwritten(ridge: Exported, tmp_path: Path) -> None:
    """Neither other files nor devices; no file is added to the data."""
    trained, data = load_model(ridge.folder), tmp_path / "data"
    data.mkdir()
    (data / "rows.csv").write_bytes(rows_of("regression").read_bytes())
    (tmp_path / "mine.csv").write_text("row,wear\n0,1.5\n")
    for out, says in (
        (tmp_path / "mine.csv", "holds no predictions"),
        (Path("/dev/null"), "no regular file"),
        (data / "out.csv", "one of the files of --data"),
        (data / "rows.csv", "one of the files of --data"),
        (Path(), "is a folder"),
    ):
        with pytest.raises(StudyError, match=says):
            predict_file(trained, data, out=out)
    assert (tmp_path / "mine.csv").read_text() == "row,wear\n0,1.5\n"
    assert [file.name for file in data.iterdir()] == ["rows.csv"]


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


def test_columns_may_be_ignored_and_new_words_are_counted(ridge: Exported, cli: Cli, tmp_path: Path) -> None:
    """`--ignore` lets an extra column be; a word that training never saw is counted with a note."""
    rows = pd.read_csv(rows_of("regression")).assign(humidity=1.0)
    rows.loc[:2, "material"] = "titanium"
    rows["force_c"] = rows["force_c"].astype(object)
    rows.loc[:4, "force_c"] = "n/a"
    rows.to_csv(tmp_path / "new.csv", index=False)
    done = cli("predict", ridge.folder, "--data", "new.csv", "--out", "p.csv", "--ignore", "humidity", "--json")
    assert done.returncode == 0, done.stderr
    assert "column 'material': 3 rows hold a value that did not occur in training" in done.stderr
    assert "column 'force_c' is numeric: 5 x 'n/a' taken as missing" in done.stderr
    shown = json.loads(done.stdout)
    assert shown["rows"] == len(rows) == len(pd.read_csv(tmp_path / "p.csv"))
    assert shown["whole_process_g"] > shown["carbon_g"] > 0


def test_grams_are_those_of_the_intensity_given(ridge: Exported, tmp_path: Path) -> None:
    """By default that of the study; twice the intensity gives twice the grams per joule."""
    trained = load_model(ridge.folder)
    own = predict_file(trained, rows_of("regression"), out=tmp_path / "a.csv")
    other = predict_file(trained, rows_of("regression"), out=tmp_path / "b.csv", intensity_g_per_kwh=950.0)
    assert own.carbon_g == pytest.approx(trained.carbon.grams(own.energy_j))
    per_j = trained.carbon.grams(1.0) * 950.0 / trained.carbon.intensity_g_per_kwh
    assert other.carbon_g == pytest.approx(other.energy_j * per_j)


def test_values_lie_in_files_without_a_name(ridge: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a process that is killed leaves nothing beside the output."""
    seen: list[list[str]] = []

    def rows_seen(*args: object) -> object:
        seen.append([path.name for path in tmp_path.iterdir()])
        return known_pieces(*args)  # type: ignore[arg-type]  # as they come

    monkeypatch.setattr("cemai_opt.deploy.predict_file.known_pieces", rows_seen)
    predict_file(load_model(ridge.folder), rows_of("regression"), out=tmp_path / "p.csv")
    assert seen == [["p.csv.part"]]


def test_the_data_is_not_overwritten(ridge: Exported, tmp_path: Path) -> None:
    """Nor a folder."""
    data = rows_of("regression")
    before = data.read_bytes()
    for out in (data, tmp_path):
        with pytest.raises(StudyError, match=r"is the data itself|is a folder"):
            predict_file(load_model(ridge.folder), data, out=out)
    assert data.read_bytes() == before
    assert list(tmp_path.iterdir()) == []
