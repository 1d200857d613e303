"""A study file for a table that is written after guessing, or after asking."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT, Cli


def test_a_study_is_guessed_and_runs(cli: Cli, wear_csv: Path, tmp_path: Path) -> None:
    """What was guessed is said; the file is valid, explains the columns, and can be run at once."""
    done = cli("init", wear_csv)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stderr.split())
    assert "target: 'tool_wear', because it is named so" in said
    assert "group: 'run', because it has 12 values" in said
    place = tmp_path / f"{wear_csv.stem}.yaml"
    text = place.read_text()
    assert yaml.safe_load(text)["data"] == {
        "path": str(wear_csv), "target": "tool_wear", "group": "run", "time": "cut", "ignore": [],
    }  # fmt: skip
    assert "#   'tool_wear': number, " in text
    ran = cli("optimize", place, "--trials", 2, "--confirm", 0, "--space", "quick", "--no-audit", "--out", "run")
    assert ran.returncode == 0, ran.stderr


def test_what_is_given_is_taken(cli: Cli, wear_csv: Path) -> None:
    """Without a guess; "none" is no column; an unknown one is refused, and so is a file that exists."""
    done = cli("init", wear_csv, "--target", "tool_wear", "--group", "none", "--time", "cut", "--out", "x.yaml", "-q")
    assert (done.returncode, done.stderr) == (0, "")
    wrong = cli("init", wear_csv, "--target", "toolwear", "--out", "y.yaml")
    assert (wrong.returncode, "did you mean 'tool_wear'?" in wrong.stderr) == (2, True)
    again = cli("init", wear_csv, "--out", "x.yaml")
    assert (again.returncode, "x.yaml exists" in again.stderr) == (2, True)


@pytest.mark.parametrize(("answers", "group"), [("\n\n\n", "run"), ("tool_wear\nnone\ncut\n", None)])
def test_on_a_terminal_it_asks(wear_csv: Path, tmp_path: Path, answers: str, group: str | None) -> None:
    """With the guess as the default answer."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "cemai_opt", "init", str(wear_csv), "--out", "asked.yaml"],
        cwd=tmp_path,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    os.write(ours, answers.encode())
    _, said = process.communicate(timeout=60)
    for end in (ours, theirs):
        os.close(end)
    assert process.returncode == 0, said
    assert "group ('run' has 12 values" in said
    assert yaml.safe_load((tmp_path / "asked.yaml").read_text())["data"].get("group") == group
