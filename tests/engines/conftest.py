"""What tests of engines share: a house with a model that misbehaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.house.strange_house import build_house


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product with a model that misbehaves."""
    naughty = (ROOT / "benchmarks" / "faults" / "naughty.py").read_text()
    return build_house(tmp_path_factory.mktemp("house"), {"models/naughty": naughty})


def told_by(house: Path, csv: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    """What became of each deed, by deed (the last one of a kind), and of everything at the end."""
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "engines" / "deeds.py", csv, *arguments],
        env={**os.environ, "PYTHONPATH": str(house)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line.get("deed", "end"): line for line in lines}


def gone(pids: list[int], within_s: float = 10.0) -> bool:
    """Have all of these processes ended (a zombie has)?"""
    end_s = time.monotonic() + within_s
    while time.monotonic() < end_s:
        if not any(_runs(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
