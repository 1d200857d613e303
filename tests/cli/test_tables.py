"""Tables of emissions, and comparisons of machines, on the command line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from cemai_opt.runs import RunFolder
from tests.conftest import Cli
from tests.finished import finished_run

STUDY = """
name: rq1_small
data: {path: wear.csv, target: tool_wear, group: run, time: cut}
table:
  models: {DT: decision_tree, GB: gradient_boosting}
  features: {rolling: mean, window_rows: 5}
  window_rows: 3
  repeats: 1
"""


@pytest.fixture
def study(wear_csv: Path, tmp_path: Path) -> Path:
    """A study with a table of four pipelines."""
    (tmp_path / "rq1.yaml").write_text(STUDY)
    return tmp_path / "rq1.yaml"


def test_a_study_is_measured_and_its_record_shown_and_compared(cli: Cli, study: Path, tmp_path: Path) -> None:
    """On two machines, here one with a second thread; nothing is measured twice."""
    done = cli("table", "rq1.yaml", "--out", "one", "--label", "one thread")
    assert done.returncode == 0, done.stderr
    assert "GB w/FE, 1 of 1" in done.stderr
    names = {path.name for path in (tmp_path / "one").iterdir()}
    assert names == {"record.json", "table.txt", "table.csv", "table.tex", "table.png", "table.svg"}
    assert cli("table", "one").stdout == done.stdout
    lines = list(csv.DictReader(io.StringIO(cli("table", "one", "--format", "csv").stdout)))
    assert [line["model"] for line in lines] == ["DT", "DT w/FE", "GB", "GB w/FE"]
    assert all(float(line["explain_g"]) > 0 for line in lines)
    again = cli("table", "rq1.yaml", "--out", "two", "--label", "two threads", "--threads", 2)
    assert again.returncode == 0, again.stderr
    compared = cli("compare", "one", "two/record.json", "--what-if", "FRA,100")
    assert compared.returncode == 0, compared.stderr
    assert "one thread" in compared.stdout
    assert "FRA (56)" in compared.stdout
    assert cli("compare", "one", "two", "--what-if", "Nowhere").returncode == 2


def test_a_run_has_a_table_too(cli: Cli) -> None:
    """Of its tested members."""
    run = finished_run("regression")
    done = cli("table", run.path, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["pipelines"]) == len(
        [m for m in RunFolder(run.path).front().members if m.test is not None]
    )


def test_a_pipeline_is_measured_repeatedly(cli: Cli, study: Path, tmp_path: Path) -> None:
    """`run --repeat N --out FILE` writes a record with one pipeline; other files are left alone."""
    (tmp_path / "config.yaml").write_text(
        "config: {train: {model: ridge}}\nstudy: {data: {path: wear.csv, target: tool_wear, group: run, time: cut}}\n"
    )
    done = cli("run", "config.yaml", "--repeat", 2, "--label", "here", "--out", "here.json")
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "here.json").read_text())
    assert (record["label"], len(record["pipelines"][0]["costs"])) == ("here", 2)
    assert "mean of 2 runs" in cli("table", "here.json").stdout
    refused = cli("run", "config.yaml", "--out", "wear.csv")
    assert refused.returncode == 2
    assert "cannot read" in refused.stderr or "is damaged" in refused.stderr


def test_folders_of_others_are_left_alone(cli: Cli, study: Path, tmp_path: Path) -> None:
    """Before anything is measured."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    done = cli("table", "rq1.yaml", "--out", "mine")
    assert done.returncode == 2
    assert "holds no record.json" in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_a_simulated_machine_is_replayed_and_named(
    cli: Cli, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readings of this machine, halved: half the joules for the same pipelines, and the record says where from."""
    monkeypatch.setenv("CEMAI_OPT_RECORD", str(tmp_path / "trace.txt"))
    assert cli("table", "rq1.yaml", "--out", "here", "--label", "here").returncode == 0
    monkeypatch.delenv("CEMAI_OPT_RECORD")
    heading, *readings = (tmp_path / "trace.txt").read_text().splitlines()
    header = {**json.loads(heading), "source": "simulated"}
    halved = [repr(float(reading) / 2.0) for reading in readings]
    (tmp_path / "half.txt").write_text("\n".join([json.dumps(header), *halved]) + "\n")
    monkeypatch.setenv("CEMAI_OPT_TRACE", str(tmp_path / "half.txt"))
    done = cli("table", "rq1.yaml", "--meter", "replay", "--out", "other", "--label", "simulated")
    assert done.returncode == 0, done.stderr
    assert "replay: half.txt of simulated" in " ".join(done.stdout.split())
    lines = list(csv.DictReader(io.StringIO(cli("compare", "here", "other", "--format", "csv").stdout)))
    assert [float(line["ratio"]) for line in lines[1::2]] == pytest.approx([0.5] * 4)
