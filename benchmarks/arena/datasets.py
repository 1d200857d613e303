"""The data sets of the arena: rows, the options of a study, and what is known about the truth.

Real ones are read below a data folder (README.md there); without it they are skipped. The others need no network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from benchmarks.arena import generated
from cemai_opt.datasets import Frames
from cemai_opt.datasets.demo import tool_wear_runs

INTENSITY_G_PER_KWH = 475.0
"""The world mean, for every arm."""
STUDY = "study.yaml"


@dataclass(frozen=True, kw_only=True)
class ArenaSet:
    """A data set: `make` reads or generates its rows, given the data folder; FileNotFoundError if they are not there.

    `data` are the options of the data in a study, `study` the others. `is_independent`: rows have no order, so that
    features of earlier rows make no sense. `best`: the best reachable test score, if it is known.
    """

    name: str
    truth: str
    make: Callable[[Path], Frames]
    data: Mapping[str, Any]
    study: Mapping[str, Any] = field(default_factory=dict)
    is_independent: bool = False
    has_rul: bool = False
    best: float | None = None

    def written(self, scratch: Path, *, data_root: Path) -> Path:
        """Writes rows, in the order in which the product sorts them, and the study; returns the path of the study."""
        frames, folder = self.make(data_root), scratch / self.name
        folder.mkdir(parents=True, exist_ok=True)
        data = {**self.data, "path": str(folder / "rows.parquet")}
        self._sorted(frames.rows).to_parquet(data["path"], index=False)
        if frames.test is not None:
            data["test"] = str(folder / "test.parquet")
            self._sorted(frames.test).to_parquet(data["test"], index=False)
        document = {
            "name": self.name,
            "data": data,
            "carbon": {"intensity_g_per_kwh": INTENSITY_G_PER_KWH},
            **self.study,
        }
        (folder / STUDY).write_text(yaml.safe_dump(document, sort_keys=False))
        return folder / STUDY

    def _sorted(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Groups in the order of their first row, rows of a group by time."""
        group, time = self.data.get("group"), self.data.get("time")
        codes = pd.factorize(rows[group])[0] if group else np.zeros(len(rows))
        order = np.arange(len(rows)) if time is None else pd.factorize(rows[time], sort=True)[0]
        return rows.iloc[np.lexsort((order, codes))]


def _file(root: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(root / name)


def _cmapss(root: Path, number: str) -> Frames:
    train, test = (_file(root, f"cmapss/{part}_{number}.csv.gz") for part in ("train", "test"))
    return Frames(rows=train, test=test)


def _phm2010(root: Path) -> Frames:
    return Frames(rows=_file(root, "phm2010/phm2010.csv.gz"))


def _skab(root: Path) -> Frames:
    rows = _file(root, "skab/skab_all.csv.gz")
    return Frames(rows=rows[rows["group"] != "anomaly-free"].drop(columns="group").astype({"anomaly": int}))


def _of_sklearn(root: Path, name: str) -> Frames:
    import sklearn.datasets

    rows = getattr(sklearn.datasets, f"load_{name}")(as_frame=True).frame
    return Frames(rows=rows.set_axis(rows.columns.str.replace(" ", "_"), axis=1))


def _made(root: Path, make: Callable[[], pd.DataFrame]) -> Frames:
    return Frames(rows=make())


RUL = {"target": "RUL", "group": "unit", "clip_target": 125}
BY_ROWS = {"split": {"by": "rows"}}

_ALL = (
    ArenaSet(
        name="fd001",
        truth="C-MAPSS FD001, official test units, remaining life clipped at 125 cycles; one operating condition",
        make=partial(_cmapss, number="FD001"),
        data=RUL,
        has_rul=True,
    ),
    ArenaSet(
        name="fd002",
        truth="C-MAPSS FD002, official test units, as fd001; six operating conditions hide the wear",
        make=partial(_cmapss, number="FD002"),
        data=RUL,
        has_rul=True,
    ),
    ArenaSet(
        name="phm2010",
        truth="PHM 2010 milling: two cutters to learn from, a third one to predict",
        make=_phm2010,
        data={"target": "tool_wear", "group": "experiment_tag", "time": "timestamp", "test_groups": ["c6"]},
    ),
    ArenaSet(
        name="skab",
        truth="SKAB water circuit, whole files held out, about 35 % anomalies",
        make=_skab,
        data={"target": "anomaly", "group": "file", "time": "datetime", "ignore": ["changepoint"]},
        study={"task": "classification", "score": "f1"},
    ),
    ArenaSet(
        name="demo",
        truth="the product's own demo: turning tools, wear after each cut, 8 % noise on forces",
        make=partial(_made, make=tool_wear_runs),
        data={"target": "tool_wear", "group": "run", "time": "cut"},
    ),
    ArenaSet(
        name="diabetes",
        truth="scikit-learn's diabetes: 442 patients, nearly linear, R2 about 0.5 at best",
        make=partial(_of_sklearn, name="diabetes"),
        data={"target": "target"},
        study={"task": "regression", **BY_ROWS},
        is_independent=True,
    ),
    ArenaSet(
        name="breast_cancer",
        truth="scikit-learn's breast cancer: 569 patients, nearly separable by a line",
        make=partial(_of_sklearn, name="breast_cancer"),
        data={"target": "target"},
        study={"task": "classification", "score": "f1", **BY_ROWS},
        is_independent=True,
    ),
    ArenaSet(
        name="digits",
        truth="scikit-learn's digits: 1,797 images of 8 x 8 pixels, 10 classes, kernels beat trees",
        make=partial(_of_sklearn, name="digits"),
        data={"target": "target"},
        study={"task": "classification", "score": "f1_macro", **BY_ROWS},
        is_independent=True,
    ),
    ArenaSet(
        name="drift",
        truth="relation turns by 90 degrees over the series; one that knows the present relation reaches R2 0.90",
        make=partial(_made, make=generated.drift),
        data={"target": "y", "time": "time"},
        best=0.90,
    ),
    ArenaSet(
        name="regimes",
        truth="slow wear under six switching conditions; one row with its condition known",
        make=partial(_made, make=generated.regimes),
        data={"target": "wear", "group": "unit", "time": "cycle"},
    ),
    ArenaSet(
        name="imbalance",
        truth="faults of 15 rows, 5 % positives, every machine with its own level",
        make=partial(_made, make=generated.imbalance),
        data={"target": "fault", "group": "machine", "time": "minute"},
        study={"task": "classification", "score": "f1"},
    ),
    ArenaSet(
        name="categories",
        truth="200 tools with an effect of their own, the hour of a date, one useful number; noise allows R2 0.83",
        make=partial(_made, make=generated.categories),
        data={"target": "y"},
        study={"task": "regression", **BY_ROWS},
        is_independent=True,
        best=0.83,
    ),
)

SETS: Mapping[str, ArenaSet] = {arena_set.name: arena_set for arena_set in _ALL}
