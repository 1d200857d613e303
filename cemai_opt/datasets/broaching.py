"""Tool wear, CEMAI's Broaching case: the PHM 2010 milling challenge stands in for it, as a table or as its own files.

Source: PHM Society 2010 Data Challenge, https://phmsociety.org/phm_competition/2010-phm-society-conference-data-challenge.
A folder `c1` holds one file per cut, `c_1_001.csv` (seven channels at 50 kHz, no header), and the wear of three flutes
after each cut in `c1_wear.csv`.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.datasets._dataset import Frames
from cemai_opt.datasets._files import check_is_there
from cemai_opt.datasets._reader import Reader
from cemai_opt.datasets.tabular import Tabular

CHANNELS = ("force_x", "force_y", "force_z", "vibration_x", "vibration_y", "vibration_z", "acoustic_emission")
TARGET, GROUP, TIME = "tool_wear", "experiment_tag", "timestamp"
RATE_HZ = 50_000
BLOCK_ROWS = 25_000
"""Samples, half a second, of which one row holds the root mean squares."""


class Broaching(Reader):
    """Milling cutters until they are worn: a table, or the folder of PHM 2010 with its cutters c1, c4, c6."""

    def _read(self, spec: DataSpec) -> Frames:
        if spec.path is None or not (folders := _cutters(Path(spec.path))):
            return Tabular().frames(self._filled(spec))
        rows = pd.concat([_cutter(folder) for folder in folders], ignore_index=True)
        return Frames(rows=rows, notes=(f"each row holds root mean squares of {BLOCK_ROWS / RATE_HZ:g} s",))

    def _filled(self, spec: DataSpec) -> DataSpec:
        return spec.model_copy(
            update={"target": spec.target or TARGET, "group": spec.group or GROUP, "time": spec.time or TIME}
        )


def _cutters(path: Path) -> list[Path]:
    """Folders of cutters: those that hold a file of their wear."""
    return [folder for folder in sorted(path.glob("*/")) if (folder / f"{folder.name}_wear.csv").is_file()]


def _cutter(folder: Path) -> pd.DataFrame:
    """All cuts of a cutter: root mean squares of blocks, seconds of cutting, the largest wear of its flutes in mm."""
    wear = _table(folder / f"{folder.name}_wear.csv", has_header=True)
    if wear.shape[1] < 2:
        raise StudyError(f"{folder / f'{folder.name}_wear.csv'} has no columns of wear", "cut, then one per flute")
    by_cut = {int(row[0]): float(max(row[1:])) / 1000.0 for row in wear.to_numpy(np.float64)}
    parts, seconds = [], 0.0
    for file in sorted(folder.glob("*.csv")):
        found = re.fullmatch(r"c_\d+_(\d+)\.csv", file.name)
        if found is None:
            continue
        cut = int(found[1])
        if cut not in by_cut:
            raise StudyError(f"{file}: cut {cut} has no wear in {folder.name}_wear.csv", "complete that file")
        samples = _table(file, has_header=False).to_numpy(np.float64)
        if samples.shape[1] != len(CHANNELS):
            raise StudyError(f"{file} has {samples.shape[1]} columns, not {len(CHANNELS)}", "is it a file of PHM 2010?")
        starts = np.arange(0, len(samples), BLOCK_ROWS)
        sizes = np.diff([*starts, len(samples)])
        squares = np.add.reduceat(samples**2, starts, axis=0) / sizes[:, None]
        part = pd.DataFrame(np.sqrt(squares), columns=list(CHANNELS))
        part[TIME] = seconds + (starts + sizes) / RATE_HZ
        part[TARGET], part[GROUP] = by_cut[cut], folder.name
        parts.append(part)
        seconds += len(samples) / RATE_HZ
    if not parts:
        raise StudyError(f"{folder} holds no file of a cut", "such as c_1_001.csv")
    return pd.concat(parts, ignore_index=True)


def _table(path: Path, *, has_header: bool) -> pd.DataFrame:
    check_is_there(path)
    try:
        return pd.read_csv(path, header=0 if has_header else None, dtype=np.float64)
    except (ValueError, UnicodeDecodeError) as error:
        raise StudyError(f"cannot read {path}: {error}", "is it complete?") from error
