"""Large data sets are in memory once."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from cemai_opt.datasets import Dataset, _shared, shared, store
from tests.pipeline.test_splits import data_of

MAKE_ONE = """
import os, signal, sys
from cemai_opt.datasets import _shared, shared
from tests.pipeline.test_splits import data_of
_shared.LARGE_BYTES = 1
data = shared(data_of([10]))
print(data.X.base.filename, flush=True)
if sys.argv[1] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Dataset:
    """A data set that counts as large."""
    monkeypatch.setattr(_shared, "LARGE_BYTES", 1)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return data_of([10, 20])


def test_a_large_data_set_is_mapped_from_files(data: Dataset, tmp_path: Path) -> None:
    """With the same contents, and it is not stored again for workers."""
    back = shared(data)
    assert isinstance(back.X.base, np.memmap)
    assert back.digest == data.digest
    place = store(back, tmp_path / "elsewhere")
    assert place == Path(str(back.X.base.filename)).parent
    assert not (tmp_path / "elsewhere").exists()


def test_a_small_one_stays_in_memory(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files would cost more."""
    monkeypatch.setattr(_shared, "LARGE_BYTES", 10**9)
    assert shared(data) is data


@pytest.mark.parametrize("end", ["normal", "killed"])
def test_nothing_is_left_behind(end: str, tmp_path: Path) -> None:
    """Not even by a process that was killed, once another one begins; one that lives keeps its own."""
    environment = {"TMPDIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"}
    made = subprocess.run(
        [sys.executable, "-c", MAKE_ONE, end], env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    folder = Path(made.stdout.strip()).parent.parent
    assert folder.parent == tmp_path
    assert folder.exists() == (end == "killed")
    foreign = tmp_path / f"{_shared.PREFIX}foreign"
    foreign.mkdir()
    subprocess.run([sys.executable, "-c", MAKE_ONE, "normal"], env=environment, stdout=subprocess.PIPE, check=True)
    assert not folder.exists()
    assert foreign.exists()
