"""What people expect of a command line: short help, suggestions, quiet and verbose, completion, a list of runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cemai_opt.cli import cli as group
from tests.cli.test_commands import OPTIONS, finished  # noqa: F401  # a fixture
from tests.conftest import ROOT, Cli

SCREEN = 45
"""Lines of a terminal window that is not small."""
COMMANDS = group.list_commands(None)  # type: ignore[arg-type]  # no context


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_fits_one_screen(cli: Cli, command: str) -> None:
    """At 80 columns; what is left out is shown by --help-all."""
    done = cli(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) <= SCREEN
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "--quiet" in done.stdout


def test_all_options_are_one_option_away(cli: Cli) -> None:
    """Those that the short help leaves out, too."""
    short, whole = cli("optimize", "--help").stdout, cli("optimize", "--help-all").stdout
    assert "--clip-target" not in short
    assert "--clip-target" in whole
    assert "--help-all" in short


def test_a_mistyped_command_is_suggested(cli: Cli) -> None:
    """With exit status 2; a data file in place of a study, too."""
    done = cli("optimise")
    assert (done.returncode, "did you mean 'optimize'?" in done.stderr) == (2, True)


def test_a_data_file_in_place_of_a_study_is_explained(cli: Cli, wear_csv: Path) -> None:
    """Beginners type it first."""
    done = cli("optimize", wear_csv)
    assert done.returncode == 2
    assert f"--data {wear_csv}" in " ".join(done.stderr.split())


def test_quiet_leaves_the_results(cli: Cli, wear_csv: Path) -> None:
    """On standard output; nothing on standard error. Verbose logs there."""
    command = ("optimize", "--data", wear_csv, *OPTIONS, "--trials", 3, "--confirm", 0)
    quiet = cli(*command, "--out", "quiet", "--quiet")
    assert (quiet.returncode, quiet.stderr) == (0, "")
    assert "greenest" in quiet.stdout
    verbose = cli(*command, "--out", "verbose", "-v")
    assert "INFO cemai_opt.session.session" in verbose.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands(cli: Cli, shell: str) -> None:
    """By the script that is printed."""
    script = cli("completion", shell)
    assert script.returncode == 0
    assert "_CEMAI_OPT_COMPLETE" in script.stdout


def test_bash_accepts_the_script(cli: Cli, tmp_path: Path) -> None:
    """And completes a command that is begun."""
    (tmp_path / "complete.sh").write_text(cli("completion", "bash").stdout)
    program = tmp_path / "cemai-opt"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'from cemai_opt.cli import main; main()' \"$@\"\n")
    program.chmod(0o755)
    asked = "COMP_WORDS=(cemai-opt opt); COMP_CWORD=1; _cemai_opt_completion cemai-opt; echo ${COMPREPLY[@]}"
    done = subprocess.run(
        ["bash", "-c", f"PATH={tmp_path}:$PATH; . ./complete.sh; {asked}"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.split() == ["optimize"]


def test_runs_are_listed(cli: Cli, finished: Path, tmp_path: Path) -> None:  # noqa: F811
    """With what they found; one that is not finished or damaged is in the list, and other folders are not."""
    begun = tmp_path / "begun"
    begun.mkdir()
    (tmp_path / "notes").mkdir()
    for name in ("study.yaml", "space.lock.yaml"):
        (begun / name).write_text((finished / "run" / name).read_text())
    (tmp_path / "run").symlink_to(finished / "run")
    runs = {run["name"]: run for run in json.loads(cli("list", tmp_path, "--json").stdout)}
    assert set(runs) == {"run", "begun"}
    assert (runs["begun"]["state"], runs["begun"]["model"]) == ("not finished", None)
    front = json.loads((finished / "run" / "front.json").read_text())
    pipelines = {member["trial"]: member for member in (front["baseline"], *front["members"])}
    assert runs["run"]["carbon_g"] == pipelines[front["knee"]]["carbon_g"]
    shown = cli("list", tmp_path).stdout
    assert "begun" in shown
    empty = cli("list", tmp_path / "notes")
    assert empty.stdout.startswith("no runs in")
    assert cli("list", tmp_path / "nowhere").returncode == 2


def test_a_run_that_recommends_nothing_names_no_export(cli: Cli, tmp_path: Path) -> None:
    """Noise: why there is nothing, and a command that works."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(300, 3)), columns=["a", "b", "y"])
    frame.to_csv(tmp_path / "noise.csv", index=False)
    done = cli("optimize", "--data", "noise.csv", "--target", "y", "--space", "quick", "--trials", 4, "--no-audit")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "Nothing is recommended: no pipeline is better than always predicting the" in said
    assert "cemai-opt export" not in said
    assert "next: cemai-opt front runs/noise" in said


def test_a_class_that_is_never_predicted_is_said(cli: Cli, tmp_path: Path) -> None:
    """A rare class without a signal: a score over all classes hides it."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"a": rng.normal(size=400), "b": rng.normal(size=400)})
    frame["label"] = np.where(rng.random(400) < 0.08, "odd", np.where(frame["a"] > 0.0, "high", "low"))
    frame.to_csv(tmp_path / "classes.csv", index=False)
    (tmp_path / "linear.yaml").write_text("models: [ridge]")
    options = ("--split", "rows", "--trials", 3, "--no-audit", "--space", "linear.yaml", "--portfolio", "none")
    done = cli("optimize", "--data", "classes.csv", "--target", "label", *options)
    assert done.returncode == 0, done.stderr
    assert "predicts no test row as 'odd', although there are such rows" in " ".join(done.stderr.split())


def test_a_report_is_opened_if_it_was_written(wear_csv: Path, tmp_path: Path) -> None:
    """By the program that opens files here; not without a report."""
    opener = tmp_path / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/opened\n')
    opener.chmod(0o755)
    command = [sys.executable, "-m", "cemai_opt", "optimize", "--data", str(wear_csv), *map(str, OPTIONS)]
    command += ["--trials", "2", "--confirm", "0", "--open", "-q"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    for name, more in (("with", []), ("without", ["--no-report"])):
        subprocess.run([*command, "--out", name, *more], cwd=tmp_path, env=environment, check=True)
    end = time.monotonic() + 10.0
    while not (tmp_path / "opened").exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert (tmp_path / "opened").read_text().splitlines() == [str(tmp_path / "with" / "report.html")]
