"""Anomalies of milling processes, CEMAI's Bosch CNC case, from the public HDF5 files; SKAB stands in for it as a table.

Source: Tnani, Feil, Diepold, "Smart Data Collection System for Brownfield CNC Milling Machines: A New Benchmark Dataset
for Data-Driven Machine Monitoring", Procedia CIRP 107 (2022). A file `M01/OP01/good/M01_Aug_2019_OP01_000.h5` holds the
accelerations of one run of process OP01 on machine M01, an array (n, 3) at 2 kHz.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.core.registry import need
from cemai_opt.datasets._dataset import Frames
from cemai_opt.datasets._reader import Reader
from cemai_opt.datasets.tabular import Tabular

if TYPE_CHECKING:
    import h5py

AXES = ("acceleration_x", "acceleration_y", "acceleration_z")
TARGET, GROUP = "anomaly", "file"
LABELS = {"good": 0, "bad": 1}


class BoschCnc(Reader):
    """Runs of milling processes, each good or bad: the folder of the public HDF5 files (extra `hdf5`), or a table."""

    def _read(self, spec: DataSpec) -> Frames:
        if spec.path is None or not (files := _runs(Path(spec.path))):
            return Tabular().frames(self._filled(spec))
        need("h5py")
        return Frames(rows=pd.concat([_run(Path(spec.path), file) for file in files], ignore_index=True))

    def _filled(self, spec: DataSpec) -> DataSpec:
        return spec.model_copy(update={"target": spec.target or TARGET, "group": spec.group or GROUP})


def _runs(path: Path) -> list[Path]:
    """The HDF5 files of a folder, in folders named good and bad."""
    return sorted(file for file in path.glob("*/*/*/*.h5") if file.parent.name in LABELS)


def _run(root: Path, file: Path) -> pd.DataFrame:
    """The rows of one run, with machine and process as text, and the label."""
    process, machine = file.parent.parent, file.parent.parent.parent
    rows = pd.DataFrame(_array(file), columns=list(AXES))
    rows["machine"], rows["process"] = machine.name, process.name
    rows[TARGET], rows[GROUP] = LABELS[file.parent.name], file.relative_to(root).as_posix()
    return rows


def _array(path: Path) -> np.ndarray:
    """The only array (n, 3) of an HDF5 file."""
    import h5py

    found: list[Any] = []

    def note(name: str, item: h5py.HLObject) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim == 2 and item.shape[1] == len(AXES):
            found.append(np.asarray(item[:], np.float64))

    try:
        with h5py.File(path, "r") as file:
            file.visititems(note)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise StudyError(f"cannot read {path}: {error}", "is it a complete HDF5 file?") from error
    if len(found) != 1 or not len(found[0]):
        raise StudyError(f"{path} holds {len(found)} arrays of accelerations (n, 3)", "one is needed, with rows")
    array: np.ndarray = found[0]
    return array
