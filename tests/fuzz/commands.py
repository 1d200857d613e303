"""The command line with whatever arguments: a message and status 2, or what was asked; and nothing else is changed."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import pandas as pd
from click.testing import CliRunner

from cemai_opt.cli import cli
from cemai_opt.core.errors import CemaiError
from tests.finished import finished_run
from tests.fuzz.models import exported
from tests.fuzz.outcome import WrongError

LONG = {"optimize": ["--dry-run"], "dashboard": ["--help"]}
"""What is added to commands that would go on for long."""
USUAL = {
    "optimize": ["--data", "rows.csv", "--target", "tool_wear"],
    "front": ["run"],
    "report": ["run"],
    "export": ["run", "--out", "new"],
    "predict": ["model", "--data", "rows.csv", "--out", "new.csv"],
    "run": ["model/config.yaml"],
    "doctor": [],
    "parts": [],
    "dashboard": ["run"],
    "mlflow": ["run", "--uri", "sqlite:///new.db"],
}
"""How each command works."""
WORDS = ("rows.csv", "run", "model", "model/config.yaml", "notes.txt", "nothing", "new", "new/deep/x", ".", "/dev/null")
VALUES = (
    *("0", "1", "-1", "3", "1e400", "nan", "", " ", "x", "ü", "\ud800", "a,b", ",", "2026-02-30", "knee", "best", "FR"),
    *(
        "tool_wear",
        "run",
        "cut",
        "ridge",
        "regression",
        "tab",
        ";",
        "9" * 400,
        "--out",
        "-",
        "~",
        "$(true)",
        "%s",
        "{}",
    ),
)
KEPT = ("rows.csv", "notes.txt", "model", "run")
"""What lies in the folder before a command; nothing of it may change."""


@dataclass(frozen=True)
class Call:
    """A command with its arguments, in a folder with data, a run, a model and a file of somebody's."""

    folder: Path
    arguments: tuple[str, ...]


def random_call(folder: Path, rng: np.random.Generator) -> Call:
    """A command with one to five options, most of them its own."""
    run = finished_run("regression").path
    pd.read_csv(run.parent / "rows.csv").head(80).to_csv(folder / "rows.csv", index=False)
    (folder / "notes.txt").write_text("mine")
    shutil.copytree(run, folder / "run", ignore=shutil.ignore_patterns("*.html"))
    shutil.copytree(exported("ridge"), folder / "model")
    name = str(rng.choice(list(USUAL)))
    arguments = [name, *LONG.get(name, [])]
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    arguments += USUAL[name] if rng.random() < 0.9 else []
    options = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
    for _ in range(int(rng.integers(0, 3))):
        if rng.random() < 0.1 or not options:
            arguments.append(str(rng.choice([*WORDS, *VALUES])))
            continue
        option = options[int(rng.integers(len(options)))]
        arguments.append(str(rng.choice(option.opts)))
        if not option.is_flag or rng.random() < 0.05:
            arguments.append(_value(option, rng))
    if name == "optimize" and "--dry-run" not in arguments:
        arguments.append("--dry-run")
    return Call(folder, tuple(arguments))


def _value(option: click.Option, rng: np.random.Generator) -> str:
    choices = list(getattr(option.type, "choices", ()))
    if choices and rng.random() < 0.6:
        return str(rng.choice(choices))
    return str(rng.choice(WORDS if rng.random() < 0.5 else VALUES))


def check_call(call: Call) -> None:
    """Runs it. `WrongError` if a file that was there before is another one; CemaiError if it was refused."""
    before = _contents(call.folder)
    with contextlib.chdir(call.folder):
        result = CliRunner(env={"CEMAI_OPT_DATA": "", "COLUMNS": "80"}).invoke(cli, list(call.arguments))
    changed = [name for name, content in before.items() if _contents(call.folder).get(name) != content]
    if changed:
        raise WrongError(f"{call.arguments} changed {changed}")
    if isinstance(result.exception, (CemaiError, OSError)):  # `main` makes one message of them
        raise CemaiError(str(result.exception), "")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise RuntimeError(f"{call.arguments}") from result.exception
    if result.exit_code == 2:
        raise CemaiError(result.output, "")


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for name in KEPT
        for path in ((folder / name).rglob("*") if (folder / name).is_dir() else [folder / name])
        if path.is_file() and not os.path.islink(path)
    }
