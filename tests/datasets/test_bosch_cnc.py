"""The public Bosch CNC data as its own files."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.datasets import Dataset
from cemai_opt.datasets.bosch_cnc import AXES, BoschCnc


def read(folder: Path) -> Dataset:
    """All runs."""
    return BoschCnc().read(DataSpec(path=str(folder)), "classification")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two machines with a process each, a good and a bad run of it."""
    rng = np.random.default_rng(0)
    for machine, process in (("M01", "OP01"), ("M02", "OP04")):
        for label in ("good", "bad"):
            runs = tmp_path / machine / process / label
            runs.mkdir(parents=True)
            with h5py.File(runs / f"{machine}_Aug_2019_{process}_000.h5", "w") as file:
                file["vibration_data"] = rng.integers(-2000, 2000, size=(30, 3))
    return tmp_path


def test_a_run_is_a_group_with_one_label(folder: Path) -> None:
    """Machine and process are inputs, the folder of the label is not."""
    data = read(folder)
    assert data.names == (*AXES, "machine=M01", "machine=M02", "process=OP01", "process=OP04")
    assert data.X.shape == (120, 7)
    assert data.group_names[0] == "M01/OP01/bad/M01_Aug_2019_OP01_000.h5"
    assert [set(data.y[data.group == group]) for group in range(4)] == [{1.0}, {0.0}] * 2


def test_a_damaged_file_is_named(folder: Path) -> None:
    """One that is cut off, and one without accelerations."""
    damaged = folder / "M01" / "OP01" / "bad" / "M01_Aug_2019_OP01_000.h5"
    damaged.write_bytes(damaged.read_bytes()[:100])
    with pytest.raises(StudyError, match=r"cannot read .*M01_Aug_2019_OP01_000\.h5"):
        read(folder)
    with h5py.File(damaged, "w") as file:
        file["vibration_data"] = np.zeros((30, 2))
    with pytest.raises(StudyError, match=r"holds 0 arrays of accelerations"):
        read(folder)
