"""A deployed model and the weeks after: what the command decides, does, keeps and logs."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cemai_opt.core.config_file import read_config_file
from cemai_opt.core.errors import CemaiError, StudyError
from cemai_opt.datasets.demo import tool_wear_runs
from cemai_opt.deploy import export
from cemai_opt.deploy.model_folder import load_model, write_sidecar
from cemai_opt.deploy.picked import Picked
from cemai_opt.runs import RunFolder
from cemai_opt.updating import Choice, Search, Situation, UpdateLog, choose, update_model
from cemai_opt.updating.policy import CONTINUE, KEEP, REFIT, SEARCH
from tests.deploy.conftest import export_of
from tests.finished import average_of_picked, finished_run, picked_with

SEQUENCE = {"window_rows": 3}


@pytest.fixture(autouse=True)
def _without_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "html_report", lambda view: "<!doctype html>")  # the page has tests of its own


def deployed(folder: Path, model: str = "ridge", task: str = "regression") -> Path:
    """An exported model of twelve tools."""
    return export_of(picked_with(task, model, sequentialize=SEQUENCE), folder / "model").folder


def week(folder: Path, number: int, *, factor: float = 1.0, n_tools: int = 5, task: str = "regression") -> Path:
    """Rows of other tools, whose wear is `factor` times as large."""
    frame = tool_wear_runs(n_runs=12 + 5 * number + n_tools, seed=7)
    frame = frame[frame["run"].isin(frame["run"].unique()[12 + 5 * number :])].copy()
    frame["material"] = "steel"
    wear = factor * frame.pop("tool_wear")
    frame["tool_wear"] = wear
    if task == "classification":
        frame["worn"] = np.where(wear > 0.2, "worn", np.where(wear > 0.1, "used", "fresh"))
        frame = frame.drop(columns="tool_wear")
    path = folder / f"week{number}.csv"
    frame.to_csv(path, index=False)
    return path


def forced(action: str) -> Any:
    """A policy that always decides the same, as long as that is possible."""

    def decide(situation: Situation) -> Choice:
        assert action == KEEP or action in situation.energy_j, f"{action} is not possible"
        return replace(choose(situation), action=action, reason="as the test wants")

    return decide


def values(model: Path, rows: Path) -> np.ndarray:
    return load_model(model).predict(pd.read_csv(rows))


def test_a_model_that_is_as_good_as_expected_is_kept(tmp_path: Path) -> None:
    """The folder stays, byte by byte, beside one entry more in its log, with grams."""
    model, rows = deployed(tmp_path), week(tmp_path, 0, n_tools=2)
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    entry = update_model(model, rows).entry
    assert (entry.choice, entry.outcome, entry.held_out) == (KEEP, "kept", None)
    assert entry.rows == len(pd.read_csv(rows))
    assert entry.carbon_g > 0.0
    after = {path.name: path.read_bytes() for path in model.iterdir()}
    assert after.pop("updates.jsonl")
    assert after == before
    assert not (tmp_path / "model.previous").exists()


def test_the_score_in_the_log_is_that_of_predictions(tmp_path: Path) -> None:
    """As anybody computes it from `predict`."""
    model, rows = deployed(tmp_path), week(tmp_path, 0)
    y, value = pd.read_csv(rows)["tool_wear"].to_numpy(), values(model, rows)
    entry = update_model(model, rows, decide=forced(KEEP)).entry
    assert entry.score == pytest.approx(1.0 - ((y - value) ** 2).sum() / ((y - y.mean()) ** 2).sum())
    assert entry.errors.mean == pytest.approx(((y - value) ** 2).mean())
    assert len(entry.errors.sums) == 5


def test_rows_that_lack_their_history_are_no_drift(tmp_path: Path) -> None:
    """Where a file continues series, the model is judged by rows that have it; if there are none, that is said."""
    model, rows = deployed(tmp_path), week(tmp_path, 0)
    document = load_model(model).document
    for path, needed in ((model, 9), (tmp_path / "longer", 10_000)):
        if path != model:
            shutil.copytree(model, path, ignore=shutil.ignore_patterns("updates.jsonl"))
        write_sidecar(path, replace(document, history=replace(document.history, rows=needed, continues=True), files={}))
    frame, value = pd.read_csv(rows), values(model, rows)
    is_whole = frame.groupby("run").cumcount() >= 9
    y, value = frame["tool_wear"][is_whole].to_numpy(), value[is_whole]
    done = update_model(model, rows, decide=forced(KEEP))
    assert done.entry.score == pytest.approx(1.0 - ((y - value) ** 2).sum() / ((y - y.mean()) ** 2).sum())
    assert done.notes == ()
    (note,) = update_model(tmp_path / "longer", rows, decide=forced(KEEP)).notes
    assert "no row has the 10000 rows before it" in note


@pytest.mark.parametrize("action", [CONTINUE, REFIT])
@pytest.mark.parametrize(("task", "model_name"), [("regression", "xgboost"), ("classification", "ridge")])
def test_a_new_model_takes_the_place_of_the_old_one(tmp_path: Path, action: str, task: str, model_name: str) -> None:
    """It loads, predicts, says what it was trained on; the old one is beside it, and predicts as before."""
    model, rows = deployed(tmp_path, model_name, task), week(tmp_path, 0, n_tools=10, task=task)
    before, known = values(model, rows), load_model(model).document.training.rows
    entry = update_model(model, rows, decide=forced(action)).entry
    assert entry.outcome == "replaced"
    assert (values(tmp_path / "model.previous", rows) == before).all()
    assert not (values(model, rows) == before).all()
    document = load_model(model).document
    assert document.training.rows > known
    assert entry.held_out is not None
    assert np.isfinite(entry.held_out.after)
    study, _ = read_config_file(model / "config.yaml")
    assert study.data.append == (str(rows),)
    assert study.data.test_last > 0.0
    assert "## Updates" in (model / "MODEL_CARD.md").read_text()
    assert set(entry.energy_j) == {"check", "train", "files"}
    assert min(entry.energy_j.values()) > 0.0


def test_what_was_held_out_is_trained_on_next_time(tmp_path: Path) -> None:
    """Ridge that continued twice knows all rows but the newest, exactly as a refit with the same preparation would."""
    model = deployed(tmp_path)
    for number in range(2):
        update_model(model, week(tmp_path, number), decide=forced(CONTINUE))
    known = load_model(model).document.training.rows
    refitted = shutil.copytree(model, tmp_path / "refitted")
    third = week(tmp_path, 2)
    update_model(model, third, decide=forced(CONTINUE))
    update_model(refitted, third, decide=forced(REFIT))
    rows = load_model(refitted).document.training.rows
    own_test = 676  # rows that the export held out, which a refit may use
    assert known is not None
    assert rows is not None
    assert 0 < rows - load_model(model).document.training.rows <= own_test  # type: ignore[operator]  # both know it


def test_a_worse_model_is_dropped_and_that_is_logged(tmp_path: Path) -> None:
    """Its errors are what is expected from now on, so that it is not tried every week."""
    model = deployed(tmp_path)
    update_model(model, week(tmp_path, 0, factor=30.0), decide=forced(KEEP))
    rows = week(tmp_path, 1)  # as before: what the odd week has taught makes it worse
    before = values(model, rows)
    entry = update_model(model, rows, decide=forced(CONTINUE)).entry
    assert entry.outcome == "rejected"
    assert entry.held_out is not None
    assert entry.held_out.after < entry.held_out.before
    assert (values(model, rows) == before).all()
    assert {path.name for path in tmp_path.iterdir()} == {"model", "week0.csv", "week1.csv"}
    first, second = UpdateLog.read(model).entries
    assert second.expected == second.errors + first.errors


def test_a_search_starts_from_the_front_of_the_run(tmp_path: Path) -> None:
    """Within its budget; its run stays beside the model."""
    run = finished_run("regression").path
    model, rows = deployed(tmp_path), week(tmp_path, 0)
    entry = update_model(model, rows, decide=forced(SEARCH), search=Search(run=run, budget_g=0.05)).entry
    found = RunFolder(tmp_path / "model.search-1")
    assert found.study().search.warm_start == (str(run),)
    assert found.study().data.append == (str(rows),)
    assert found.results()
    assert entry.outcome in ("replaced", "rejected")
    assert load_model(model).document.test.errors is not None


def test_an_average_is_updated_part_by_part(tmp_path: Path) -> None:
    """With its weights; parts that cannot continue are refitted together."""
    parts = [(0.5, picked_with("regression", name, sequentialize=SEQUENCE)) for name in ("ridge", "xgboost")]
    average: Picked = average_of_picked(parts)
    model = export_of(average, tmp_path / "model").folder
    for number, action in enumerate((CONTINUE, REFIT)):
        entry = update_model(model, week(tmp_path, number), decide=forced(action)).entry
        assert entry.outcome == "replaced"
    scorer = load_model(model).document.scorer
    assert [part.weight for part in scorer.parts] == [0.5, 0.5]  # type: ignore[union-attr]  # an average


def test_the_same_rows_twice_change_nothing(tmp_path: Path) -> None:
    """So a scheduled update may run more often than rows arrive."""
    model, rows = deployed(tmp_path), week(tmp_path, 0)
    first = update_model(model, rows, decide=forced(REFIT)).entry
    log = (model / "updates.jsonl").read_bytes()
    again = update_model(model, rows, decide=forced(REFIT))
    assert again.is_repeated
    assert again.entry == first
    assert (model / "updates.jsonl").read_bytes() == log


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("changed", "has changed since update 1"),
        ("gone", "rows of update 1, is gone"),
        ("overwritten", "held other rows in update 1"),
        ("known", "the model was trained on"),
        ("log", "was changed"),
        ("model", "the log of another model"),
        ("target", "lacks the target column"),
        ("text", "which is no number"),
        ("old", "of an earlier version"),
    ],
)
def test_what_an_update_cannot_trust_is_refused(tmp_path: Path, fault: str, message: str) -> None:
    """With the model as it was."""
    model, first, second = deployed(tmp_path), week(tmp_path, 0), week(tmp_path, 1)
    update_model(model, first, decide=forced(KEEP))
    frame = pd.read_csv(second)
    if fault == "changed":
        pd.read_csv(first).iloc[1:].to_csv(first, index=False)
    if fault == "gone":
        first.unlink()
    if fault == "overwritten":
        shutil.copy(second, first)
        second = first
    if fault == "known":
        second = Path(read_config_file(model / "config.yaml")[0].data.path or "")
    if fault == "log":
        path = model / "updates.jsonl"
        path.write_text(path.read_text().replace('"rows": ', '"rows": 1'))
    if fault == "model":
        other = deployed(tmp_path / "other", "decision_tree")
        shutil.copy(model / "updates.jsonl", other)
        model = other
    if fault == "target":
        frame.drop(columns="tool_wear").to_csv(second, index=False)
    if fault == "text":
        frame.assign(tool_wear="much").to_csv(second, index=False)
    if fault == "old":
        model = Path(__file__).parents[1] / "formats" / "0.1.0" / "model"
    before = {path: path.read_bytes() for path in model.rglob("*") if path.is_file()}
    with pytest.raises(StudyError, match=message):
        update_model(model, second, decide=forced(REFIT))
    assert {path: path.read_bytes() for path in model.rglob("*") if path.is_file()} == before


def test_a_foreign_folder_is_not_replaced(tmp_path: Path) -> None:
    """`model.previous` may be somebody's own."""
    model, rows = deployed(tmp_path), week(tmp_path, 0)
    (tmp_path / "model.previous").mkdir()
    (tmp_path / "model.previous" / "thesis.txt").write_text("all of it")
    with pytest.raises(StudyError, match="holds no exported model"):
        update_model(model, rows, decide=forced(REFIT))
    assert (tmp_path / "model.previous" / "thesis.txt").exists()
    assert load_model(model)


def test_what_a_killed_update_has_left_is_removed_and_two_at_once_are_refused(tmp_path: Path) -> None:
    """The draft of a new model is nobody's; the folder itself is the lock."""
    model, rows = deployed(tmp_path), week(tmp_path, 0)
    (tmp_path / ".model-1.next").mkdir()
    descriptor = os.open(model, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(CemaiError, match="another update"):
        update_model(model, rows)
    os.close(descriptor)
    update_model(model, rows, decide=forced(KEEP))
    assert not (tmp_path / ".model-1.next").exists()


def test_a_file_beside_the_model_before_is_not_deleted(tmp_path: Path) -> None:
    """What somebody has put into a model folder goes with it, and then stops the next replacement."""
    model = deployed(tmp_path)
    (model / "notes.txt").write_text("mine")
    update_model(model, week(tmp_path, 0), decide=forced(CONTINUE))
    assert (tmp_path / "model.previous" / "notes.txt").read_text() == "mine"
    with pytest.raises(StudyError, match=r"also holds notes\.txt"):
        update_model(model, week(tmp_path, 1), decide=forced(CONTINUE))
    assert (tmp_path / "model.previous" / "notes.txt").read_text() == "mine"


def test_a_refit_may_learn_new_categories(tmp_path: Path) -> None:
    """Which changes how the rows of earlier updates are read, but not those rows."""
    model = deployed(tmp_path)
    for number in range(3):
        rows = week(tmp_path, number, n_tools=10)
        pd.read_csv(rows).assign(material="titanium" if number else "steel").to_csv(rows, index=False)
        assert update_model(model, rows, decide=forced(REFIT)).entry.outcome in ("replaced", "rejected")
    assert update_model(model, rows).is_repeated


def test_the_command_says_what_it_did(cli: Any, tmp_path: Path) -> None:
    """In words, as JSON, and as a crontab that runs the same."""
    model, rows = deployed(tmp_path), week(tmp_path, 0)
    text = cli("update", model, "--data", rows).stdout
    assert "new rows: r2" in text
    assert "this update cost" in text
    again = cli("update", model, "--data", rows)
    assert "update 1 has seen these rows" in again.stdout
    entry = json.loads(cli("update", model, "--data", rows, "--json").stdout)
    assert entry["number"] == 1
    lines = cli("update", model, "--data", rows, "--crontab", "@weekly").stdout
    assert f"update {model} --data {rows}" in lines
    assert "--crontab" not in lines
