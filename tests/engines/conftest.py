"""What tests of engines share: a copy of the product with a model that misbehaves."""

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
from tests.structure.third_party import product_with


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product with a model that misbehaves."""
    misbehaving = (ROOT / "benchmarks" / "faults" / "misbehaving.py").read_text()
    return product_with(tmp_path_factory.mktemp("product"), {"models/misbehaving": misbehaving})


def outcomes_of(product: Path, csv: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    """The outcome of each trial by its fault (the last one of a kind), and what is left at the end."""
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "engines" / "misbehave.py", csv, *arguments],
        env={**os.environ, "PYTHONPATH": str(product)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line.get("fault", "end"): line for line in lines}


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
