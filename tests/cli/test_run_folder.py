"""Run folders that something happened to: one message, or the run goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import ROOT, Cli

OPTIONS = [
    "--target",
    "tool_wear",
    "--group",
    "run",
    "--space",
    "quick",
    "--no-audit",
    "--confirm",
    0,
    "--explain",
    "never",
]
IN_PROCESS = ["--engine", "in_process"]
"""For tests that are not about processes."""


@pytest.fixture(scope="module")
def finished(wear: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of four trials and of its rows; not to be changed."""
    folder = tmp_path_factory.mktemp("finished")
    wear.to_csv(folder / "wear.csv", index=False)
    command = [sys.executable, "-m", "cemai_opt", "optimize", "--data", "wear.csv", *map(str, OPTIONS), *IN_PROCESS]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*command, "--trials", "4", "--out", "run", "--no-report"], cwd=folder, env=environment, check=True)
    return folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of that run, beside the same rows."""
    (tmp_path / "wear.csv").symlink_to(finished / "wear.csv")
    return Path(shutil.copytree(finished / "run", tmp_path / "run"))


def again(cli: Cli, trials: int = 6) -> subprocess.CompletedProcess[str]:
    """The same command with more trials."""
    return cli("optimize", "--data", "wear.csv", *OPTIONS, *IN_PROCESS, "--trials", trials, "--out", "run")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("study.yaml", "a: [b"),
        ("study.yaml", ""),
        ("space.lock.yaml", "[]"),
        ("trials.jsonl", "null\n"),
        ("trials.jsonl", "garbage\n"),
        ("optuna.journal", "garbage\n"),
    ],
)
def test_a_damaged_file_is_one_message(run: Path, cli: Cli, name: str, text: str) -> None:
    """Which file, and what to do; no traceback."""
    (run / name).write_text(text)
    done = again(cli)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert name in " ".join(done.stderr.split())


@pytest.mark.parametrize("text", ["", "null", "{}", '{"members": [{}]}'])
def test_a_damaged_front_is_one_message(run: Path, cli: Cli, text: str, tmp_path: Path) -> None:
    """For `front` and for `export`."""
    (run / "front.json").write_text(text)
    for command in (["front", "run"], ["export", "run", "--out", tmp_path / "a.yaml"]):
        done = cli(*command)
        assert done.returncode == 2
        assert "front.json is damaged" in " ".join(done.stderr.split())


def test_what_a_killed_writer_leaves_is_mended(run: Path, cli: Cli) -> None:
    """Torn last lines of both journals, and the storage's lock, which would else be waited for."""
    for name in ("trials.jsonl", "optuna.journal"):
        with (run / name).open("a") as stream:
            stream.write('{"torn": ')
    (run / "optuna.journal.lock").symlink_to("nowhere")
    done = again(cli)
    assert done.returncode == 0, done.stderr
    numbers = [json.loads(line)["trial"] for line in (run / "trials.jsonl").read_text().splitlines()]
    assert len(numbers) == len(set(numbers)) >= 6


def test_joules_of_what_a_kill_left_unfinished_are_kept(run: Path, cli: Cli) -> None:
    """The last note of a killed session holds more than its trials: the rest is in the ledger as lost."""
    noted = json.loads((run / "spent.json").read_text())["energy_j"]
    (run / "spent.json").write_text(json.dumps({"energy_j": noted + 1000.0}))
    assert again(cli).returncode == 0
    ledger = json.loads((run / "summary.json").read_text())["search"]["ledger"]
    lost = [row["energy_j"] for row in ledger if row["entry"] == "lost"]
    assert lost[0] == pytest.approx(1000.0, rel=0.1)
    assert again(cli, 8).returncode == 0  # and not once more
    ledger = json.loads((run / "summary.json").read_text())["search"]["ledger"]
    assert [row["energy_j"] for row in ledger if row["entry"] == "lost"] == pytest.approx(lost, rel=0.01)


def test_a_folder_that_cannot_be_written_is_one_message(cli: Cli, wear_csv: Path, tmp_path: Path) -> None:
    """Which one, and why."""
    (tmp_path / "file").write_text("")
    done = cli("optimize", "--data", wear_csv, *OPTIONS, "--trials", 2, "--out", "file/run")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "file/run" in done.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--storage", "postgresql+psycopg://ada@127.0.0.1:9/studies"], "cannot open"),
        (["--engine", "dask", "--scheduler", "tcp://127.0.0.1:9"], "no scheduler at"),
    ],
)
def test_a_run_that_could_not_begin_leaves_nothing(
    cli: Cli, wear_csv: Path, tmp_path: Path, options: list[str], says: str
) -> None:
    """The folder is free for the right address."""
    done = cli("optimize", "--data", wear_csv, *OPTIONS, "--trials", 2, "--out", "run", *options)
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_lost_journal_is_refused(run: Path, cli: Cli) -> None:
    """Trial numbers would begin anew."""
    (run / "optuna.journal").unlink()
    done = again(cli)
    assert done.returncode == 2
    assert "has fewer trials" in " ".join(done.stderr.split())


@pytest.mark.parametrize("n_left", [0, 2])
def test_lost_trials_are_refused(run: Path, cli: Cli, n_left: int) -> None:
    """The journal still has them: they would be run and paid for once more, in silence."""
    lines = (run / "trials.jsonl").read_text().splitlines(keepends=True)
    (run / "trials.jsonl").write_text("".join(lines[:n_left]))
    done = again(cli)
    assert done.returncode == 2
    assert f"has lost {len(lines) - n_left} finished trials" in " ".join(done.stderr.split())
    assert (run / "trials.jsonl").read_text() == "".join(lines[:n_left])


@pytest.mark.parametrize("text", ["", "{}", "\x00\x00", "[1]"])
@pytest.mark.parametrize("name", ["spent.json", "summary.json", "confirmed.json", "front.json"])
def test_what_the_rest_allows_is_written_again(run: Path, cli: Cli, name: str, text: str) -> None:
    """The damaged file is named, and no trial is lost."""
    before = (run / "trials.jsonl").read_text()
    (run / name).write_text(text)
    done = again(cli)
    assert done.returncode == 0, done.stderr
    if name != "front.json" and (name, text) != ("confirmed.json", "{}"):  # not read; a document without members
        assert f"{name} is damaged" in " ".join(done.stderr.split())
    assert json.loads((run / name).read_text())
    assert (run / "trials.jsonl").read_text().startswith(before)


def test_a_changed_space_is_refused(cli: Cli, wear_csv: Path, tmp_path: Path) -> None:
    """The same name, another content."""
    space_spec = tmp_path / "space.yaml"
    options = ["--data", wear_csv, *OPTIONS, "--space", "space.yaml", "--out", "run"]
    space_spec.write_text("models: [ridge]\n")
    assert cli("optimize", *options, "--trials", 2).returncode == 0
    space_spec.write_text("models: [ridge, xgboost]\n")
    done = cli("optimize", *options, "--trials", 4)
    assert done.returncode == 2
    assert "search space has changed" in " ".join(done.stderr.split())


def test_two_searches_in_one_folder_and_an_interrupt(cli: Cli, wear_csv: Path, tmp_path: Path) -> None:
    """The second one is refused with the first one's process; Ctrl-C leaves a front, and the run goes on later."""
    options = ["--data", "wear.csv", *map(str, OPTIONS), "--out", "run"]
    command = [sys.executable, "-m", "cemai_opt", "optimize", *options, "--trials", "100000"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    first = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    trials = tmp_path / "run" / "trials.jsonl"
    end = time.monotonic() + 60
    while not (trials.exists() and trials.read_text().count("\n") >= 3) and time.monotonic() < end:
        time.sleep(0.05)
    second = cli("optimize", *options, "--trials", 100000)
    assert second.returncode == 2
    assert f"process {first.pid}" in " ".join(second.stderr.split())
    first.send_signal(signal.SIGTERM)
    out, err = first.communicate(timeout=60)
    assert b"Traceback" not in err
    assert first.returncode == 130, err.decode()[-2000:]
    assert b"interrupted" in out
    n_kept = trials.read_text().count("\n")
    assert json.loads((tmp_path / "run" / "front.json").read_text())["members"]
    assert cli("optimize", *options, "--trials", n_kept + 3).returncode == 0
    assert trials.read_text().count("\n") >= n_kept + 3


def test_a_search_without_a_complete_trial_says_why(cli: Cli, tmp_path: Path) -> None:
    """The reason that most trials gave; exit 2; the trials are kept."""
    (tmp_path / "flat.csv").write_text("x,y\n" + "".join(f"1,{i}\n" for i in range(60)))
    done = cli("optimize", "--data", "flat.csv", "--target", "y", *OPTIONS[4:], "--trials", 3, "--out", "run")
    assert done.returncode == 2
    assert "none of 3 trials was complete" in " ".join(done.stderr.split())
    assert "no variable is left" in " ".join(done.stderr.split())
    assert (tmp_path / "run" / "trials.jsonl").read_text().count("\n") == 3


def test_a_class_that_is_missing_in_training_fails_no_trial(cli: Cli, tmp_path: Path) -> None:
    """One row of the rarer class, in one group."""
    rows = [f"{'abcdef'[i // 10]},{i % 7},{'rare' if i == 55 else 'often'}" for i in range(60)]
    (tmp_path / "rare.csv").write_text("\n".join(["unit,x,y", *rows]) + "\n")
    options = ["--target", "y", "--group", "unit", *OPTIONS[4:], "--trials", 3, "--out", "run"]
    done = cli("optimize", "--data", "rare.csv", *options)
    assert done.returncode == 0, done.stderr
    assert "positive class: 'rare', 1.7% of the rows" in " ".join(done.stderr.split())
