"""Remaining useful life, CEMAI's Piston Rod case: C-MAPSS stands in for it, as tables or as NASA's text files.

Source: Saxena, Goebel, Simon, Eklund, "Damage Propagation Modeling for Aircraft Engine Run-to-Failure Simulation",
PHM08 (2008). The text files have no header: unit, cycle, three operating settings and 21 sensors, separated by spaces.
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

COLUMNS = ("unit", "cycle", "op1", "op2", "op3", *(f"s{i}" for i in range(1, 22)))
TARGET = "RUL"
CLIP = 125.0
"""Cycles above which a life counts as this long, as usual for C-MAPSS."""


class PistonRod(Reader):
    """C-MAPSS engines run to failure, as tables or as NASA's text files with `RUL_FD001.txt` beside the test file."""

    def _read(self, spec: DataSpec) -> Frames:
        if spec.path is None or not spec.path.endswith(".txt"):
            return Tabular().frames(self._filled(spec))
        test = None if spec.test is None else _engines(Path(spec.test), ends=_ends(Path(spec.test)))
        return Frames(rows=_engines(Path(spec.path)), test=test)

    def _filled(self, spec: DataSpec) -> DataSpec:
        return spec.model_copy(
            update={
                "target": spec.target or TARGET,
                "group": spec.group or "unit",
                "clip_target": CLIP if spec.clip_target is None else spec.clip_target,
            }
        )


def _engines(path: Path, ends: np.ndarray | None = None) -> pd.DataFrame:
    """One row per cycle. `ends`: (n_units,) remaining lives after the last cycle, 0 if the engines ran to failure."""
    check_is_there(path)
    rows = _numbers(path, len(COLUMNS))
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"unit": int, "cycle": int})
    units = frame["unit"].drop_duplicates()
    if ends is not None and len(ends) != len(units):
        raise StudyError(f"{path} has {len(units)} units, its file of lives {len(ends)}", "is it the file beside it?")
    last = frame.groupby("unit")["cycle"].transform("max")
    left = 0.0 if ends is None else frame["unit"].map(dict(zip(units, ends, strict=True)))
    return frame.assign(**{TARGET: last - frame["cycle"] + left})


def _ends(test: Path) -> np.ndarray:
    """Remaining lives of the test units, from the file beside their rows."""
    path = test.with_name(re.sub(r"^test", "RUL", test.name))
    if path == test:
        raise StudyError(f"{test}: the name of a test file begins with test", "such as test_FD001.txt")
    check_is_there(path)
    return _numbers(path, 1)[:, 0]


def _numbers(path: Path, n_columns: int) -> np.ndarray:
    """The numbers of a text file without header, (n_rows, n_columns). StudyError names a line that has others."""
    rows = []
    for i, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines()):
        fields = line.split()
        try:
            rows.append([float(field) for field in fields])
        except ValueError as error:
            raise StudyError(f"{path}, line {i + 1}: {error}", "is it a text file of C-MAPSS?") from error
        if len(fields) != n_columns:
            raise StudyError(f"{path}, line {i + 1} has {len(fields)} numbers, not {n_columns}", "is it complete?")
    if not rows:
        raise StudyError(f"{path} has no rows", "is it complete?")
    return np.array(rows)
