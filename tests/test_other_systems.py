"""The main job without what only Linux offers, in a process from which it has been taken away.

It shows that nothing outside the worker processes needs Linux. It does not show that macOS or Windows work.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

LACKS = {
    "macos": ((), ("sched_getaffinity", "waitid", "fork", "pidfd_open")),
    "windows": (
        ("fcntl", "resource"),
        ("sched_getaffinity", "waitid", "fork", "pidfd_open", "getuid", "sysconf", "pread"),
    ),
}
"""Modules, and functions of `os`, that a system lacks."""
OPTIONS = ("--target", "tool_wear", "--trials", "4", "--no-report")
BARE = """
import builtins, os, sys, types

import psutil, numpy, pandas, pyarrow, torch, xgboost, scipy.optimize, sklearn.ensemble, optuna, rich.console  # theirs

exists, opened = os.path.exists, builtins.open
sys.modules.update(dict.fromkeys({missing!r}))  # importing them raises ImportError from now on

def is_of_linux(path):
    return isinstance(path, str) and path.startswith(("/proc", "/sys"))

def refused(path, *rest, **named):
    caller = sys._getframe(1).f_globals["__name__"]
    if is_of_linux(path) and caller.startswith("cemai_opt"):
        raise FileNotFoundError(2, "not on this system", path)
    return opened(path, *rest, **named)

builtins.open = refused
os.path.exists = lambda path: not is_of_linux(path) and exists(path)
for name in {functions!r}:
    delattr(os, name)
msvcrt = sys.modules["msvcrt"] = type(sys)("msvcrt")
msvcrt.locking, msvcrt.LK_NBLCK = (lambda *given: None), 2
memory_info = psutil.Process.memory_info
psutil.Process.memory_info = lambda process: types.SimpleNamespace(rss=memory_info(process).rss, peak_wset=1e9)
sys.platform = "another"

from cemai_opt.cli import main
main()
"""


@pytest.mark.parametrize("system", LACKS)
def test_the_in_process_engine_runs_without_linux(system: str, wear_csv: Path, tmp_path: Path) -> None:
    """A search to its end, with CPU time for a meter; that worker processes need Linux is said."""
    (modules, functions), script = LACKS[system], tmp_path / "bare.py"
    script.write_text(BARE.format(missing=modules, functions=functions))
    done = subprocess.run(
        [sys.executable, script, "optimize", "--data", wear_csv, *OPTIONS],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    text = " ".join(done.stderr.split())
    assert "engine 'worker_process' needs Linux" in text
    assert "trials run in this process" in text
    trials = [json.loads(line) for line in next(tmp_path.glob("runs/*/trials.jsonl")).read_text().splitlines()]
    assert len(trials) >= 4
    assert all("cpu_time: process tree" in json.dumps(trial) for trial in trials if trial["state"] == "COMPLETE")
