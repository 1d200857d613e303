"""Predictions for a whole file."""

from __future__ import annotations

import json
import re
from dataclasses import replace
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
        with pytest.raises(StudyError, match=r"is the file of --data|is a folder"):
            predict_file(load_model(ridge.folder), data, out=out)
    assert data.read_bytes() == before
    assert list(tmp_path.iterdir()) == []


def halves_of_tools() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The earlier and the later rows of every tool."""
    frame = tools().drop(columns=["worn", "tool_wear"])
    is_late = frame["cut"] >= frame.groupby("run")["cut"].transform("median")
    return frame[~is_late], frame[is_late]


def test_rows_that_continue_series_have_their_history(ridge: Exported, tmp_path: Path) -> None:
    """From a file or a frame: they are predicted as if all rows were there, and only they."""
    trained, (earlier, later) = load_model(ridge.folder), halves_of_tools()
    wanted = trained.predict(pd.concat([earlier, later]))[len(earlier) :]
    assert not np.allclose(trained.predict(later), wanted)
    np.testing.assert_array_equal(trained.predict(later, history=earlier), wanted)
    earlier.sample(frac=1.0, random_state=1).to_csv(tmp_path / "earlier.csv", index=False)
    later.to_csv(tmp_path / "later.csv", index=False)
    done = predict_file(
        trained, tmp_path / "later.csv", history=tmp_path / "earlier.csv", out=tmp_path / "out.csv", with_scores=True
    )
    got = pd.read_csv(tmp_path / "out.csv")
    assert (done.rows, done.notes) == (len(later), ())
    assert got["row"].tolist() == list(range(len(later)))
    assert got["cut"].tolist() == later["cut"].tolist()
    np.testing.assert_array_equal(got["prediction"], wanted)


def test_history_that_is_not_earlier_is_refused(ridge: Exported, tmp_path: Path, cli: Cli) -> None:
    """And groups that have none are counted; nothing is written over the history."""
    trained, (earlier, later) = load_model(ridge.folder), halves_of_tools()
    with pytest.raises(StudyError, match="history of 1 groups is not earlier"):
        trained.predict(later, history=pd.concat([earlier, later.head(1)]))
    earlier[earlier["run"] != earlier["run"].iloc[0]].to_csv(tmp_path / "earlier.csv", index=False)
    later.to_csv(tmp_path / "later.csv", index=False)
    options = (ridge.folder, "--data", tmp_path / "later.csv", "--history", tmp_path / "earlier.csv")
    refused = cli("predict", *options, "--out", tmp_path / "earlier.csv")
    assert "is the file of --history" in refused.stderr
    done = cli("predict", *options, "--out", tmp_path / "out.csv")
    assert done.returncode == 0
    assert "1 of 12 groups have no rows in the history" in done.stderr


def test_a_model_that_continues_series_asks_for_their_history(ridge: Exported, tmp_path: Path) -> None:
    """One of whole groups, whose first rows had none in training either, does not."""
    trained = load_model(ridge.folder)
    assert predict_file(trained, rows_of("regression"), out=tmp_path / "out.csv").notes == ()
    history = replace(trained.document.history, continues=True)
    continuing = replace(trained, document=replace(trained.document, history=history))
    (note,) = predict_file(continuing, rows_of("regression"), out=tmp_path / "out.csv").notes
    assert "lack their history (see --history)" in note
    earlier, later = halves_of_tools()
    earlier.groupby("run").tail(3).to_csv(tmp_path / "earlier.csv", index=False)
    later.to_csv(tmp_path / "later.csv", index=False)
    options = {"history": tmp_path / "earlier.csv", "out": tmp_path / "out.csv"}
    assert predict_file(trained, tmp_path / "later.csv", **options).notes == ()
    (note,) = predict_file(continuing, tmp_path / "later.csv", **options).notes
    assert f"history of 12 groups is shorter than the {history.rows} rows" in note
