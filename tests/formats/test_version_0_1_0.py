"""Folders that version 0.1.0 wrote are read, continued and used."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt.api import load_model, load_run
from cemai_opt.compose import load_study, prepare
from cemai_opt.core.serialization import to_json
from cemai_opt.runs import RunFolder
from tests.conftest import Cli

OLD = Path(__file__).parent / "0.1.0"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A copy of the run, which a test may continue."""
    return shutil.copytree(OLD / "run", tmp_path / "run")


def test_every_document_of_a_run_is_read(run: Path) -> None:
    """Study, search space, trials with their curves, remeasured members, front, summary: all that was written."""
    folder = RunFolder(run)
    assert folder.study().task == "regression"
    assert {"train.model", "ridge.alpha"} <= set(folder.space().hyperparameters)
    lines = [json.loads(line) for line in (run / "trials.jsonl").read_text().splitlines()]
    results = folder.results()
    assert [(r.trial, r.state, r.score) for r in results] == [(d["trial"], d["state"], d["score"]) for d in lines]
    assert any(r.curve is not None and r.curve.hyperparameter == "n_estimators" for r in results)
    front = json.loads((run / "front.json").read_text())
    assert [m.trial for m in folder.front().members] == [m["trial"] for m in front["members"]]
    assert [m.carbon_g for m in folder.front().members] == [m["carbon_g"] for m in front["members"]]
    assert folder.front().search.curve_candidates == front["search"]["harvested"]
    assert folder.summary().search.carbon_g == json.loads((run / "summary.json").read_text())["search"]["carbon_g"]
    members = folder.members()
    assert members.confirmed
    assert members.tested
    assert folder.ledger()


def test_readers_do_not_change_it(run: Path) -> None:
    """Front and report, in Python and as figures."""
    before = {file.name: file.read_bytes() for file in run.iterdir()}
    assert len(load_run(run).front.to_frame()) >= 1
    load_run(run).report(run.parent / "report")
    assert {file.name: file.read_bytes() for file in run.iterdir()} == before


def test_the_run_goes_on(run: Path, cli: Cli) -> None:
    """Its trials count, and more are added."""
    before = (run / "trials.jsonl").read_text().splitlines()
    lock = run / "space.lock.yaml"  # 0.1.0 did not round the demo: its last digits depended on the processor
    demo = prepare(load_study("demo")).data.digest
    lock.write_text(lock.read_text().replace(RunFolder(run).space().data_digest, demo))
    done = cli(
        "optimize", "demo", "--space", "quick", "--trials", 9, "--seed", RunFolder(run).study().seed,
        "--confirm", RunFolder(run).study().search.confirm, "--no-audit", "--out", run,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    after = (run / "trials.jsonl").read_text().splitlines()
    assert after[: len(before)] == before
    assert len(after) > len(before)


def test_the_model_predicts_as_it_did() -> None:
    """To the last digit that 0.1.0 wrote, from its own file and its own sidecar."""
    model = load_model(OLD / "model")
    assert model.document.scorer.task.kind == "regression"
    rows = pd.read_csv(OLD / "rows.csv")
    expected = pd.read_csv(OLD / "predictions.csv")["prediction"].to_numpy()
    assert np.array_equal(model.predict(rows), expected)
    assert np.allclose(load_model(OLD / "model", "onnx").predict(rows), expected, atol=1e-3)


def test_new_documents_keep_the_old_names(run: Path) -> None:
    """What this version writes, 0.1.0 can read: no key has another name than before."""
    folder = RunFolder(run)
    for name, record in (("front.json", folder.front()), ("summary.json", folder.summary())):
        old = json.loads((run / name).read_text())
        assert _keys(old) <= _keys(json.loads(json.dumps(to_json(record)))), name
    assert "genes" in to_json(folder.space())
    curve = next(r.curve for r in folder.results() if r.curve is not None)
    assert set(to_json(curve)) == {"knob", "points"}


def _keys(document: object, path: str = "") -> set[str]:
    """Paths of all keys of a JSON document; elements of a list are not told apart."""
    if isinstance(document, dict):
        return {f"{path}.{key}" for key in document}.union(*(_keys(v, f"{path}.{k}") for k, v in document.items()))
    if isinstance(document, list):
        return set().union(*(_keys(value, path) for value in document))
    return set()
