"""Streams made of the groups of real data sets in their order: first rows for a search, then batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Stream:
    """`make` reads the rows below a data folder and cuts them: the first rows, and the batches. `options` are those of
    a search on the first rows, `budget_mg` its budget."""

    name: str
    make: Callable[[Path], tuple[pd.DataFrame, Sequence[pd.DataFrame]]]
    options: Mapping[str, Any]
    budget_mg: float

    def written(self, root: Path, folder: Path) -> tuple[Path, list[Path]]:
        """Writes all parts; returns their paths."""
        first, batches = self.make(root)
        paths = [folder / f"{i:03d}.csv" for i in range(len(batches) + 1)]
        for path, rows in zip(paths, [first, *batches], strict=True):
            rows.to_csv(path, index=False)
        return paths[0], paths[1:]


def _by_group(
    rows: pd.DataFrame, group: str, *, n_first: int, per_batch: int
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    names = list(rows[group].unique())
    parts = [names[:n_first]]
    parts += [names[i : i + per_batch] for i in range(n_first, len(names) - per_batch + 1, per_batch)]
    cut = [rows[rows[group].isin(part)] for part in parts]
    return cut[0], cut[1:]


def _engines(
    number: str, *, n_first: int, per_batch: int
) -> Callable[[Path], tuple[pd.DataFrame, Sequence[pd.DataFrame]]]:
    def make(root: Path) -> tuple[pd.DataFrame, Sequence[pd.DataFrame]]:
        rows = pd.read_csv(root / "cmapss" / f"train_{number}.csv.gz")
        return _by_group(rows, "unit", n_first=n_first, per_batch=per_batch)

    return make


def _cutters(root: Path) -> tuple[pd.DataFrame, Sequence[pd.DataFrame]]:
    """The first cutter, then the two others in tenths; one after another in time."""
    rows = pd.read_csv(root / "phm2010" / "phm2010.csv.gz")
    rows = rows.sort_values(["experiment_tag", "timestamp"], kind="stable")
    rows["timestamp"] = np.arange(len(rows))
    is_first = rows["experiment_tag"] == "c1"
    rows = rows.drop(columns="experiment_tag")
    later = rows[~is_first]
    edges = np.linspace(0, len(later), 21).astype(int)
    return rows[is_first], [later.iloc[a:b] for a, b in pairwise(edges)]


def _valves(root: Path) -> tuple[pd.DataFrame, Sequence[pd.DataFrame]]:
    rows = pd.read_csv(root / "skab" / "skab_all.csv.gz")
    rows = rows[rows["group"] != "anomaly-free"].drop(columns=["group", "changepoint"]).astype({"anomaly": int})
    return _by_group(rows, "file", n_first=10, per_batch=2)


RUL = {"target": "RUL", "group": "unit", "time": "cycle", "clip_target": 125.0}
STREAMS = {
    stream.name: stream
    for stream in (
        Stream(name="FD001", make=_engines("FD001", n_first=20, per_batch=4), options=RUL, budget_mg=8.0),
        Stream(name="FD002", make=_engines("FD002", n_first=40, per_batch=11), options=RUL, budget_mg=16.0),
        Stream(
            name="phm2010",
            make=_cutters,
            options={"target": "tool_wear", "time": "timestamp"},
            budget_mg=8.0,
        ),
        Stream(
            name="skab",
            make=_valves,
            options={"target": "anomaly", "group": "file", "time": "datetime", "task": "classification", "score": "f1"},
            budget_mg=8.0,
        ),
    )
}
