"""Small stand-ins of the public data sets that the tutorials search, with their columns."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cemai_opt.datasets.demo import tool_wear_runs

TEST_CUTTER = "c6"


def write_public_data(folder: Path) -> None:
    """The folder of `--data-root`, with twelve units in place of a hundred."""
    for name in ("cmapss", "phm2010", "skab"):
        (folder / name).mkdir(parents=True)
    for name, seed in (("train_FD001", 1), ("test_FD001", 2)):
        units = _units(seed).rename(columns={"run": "unit", "cut": "cycle", "tool_wear": "RUL"})
        units.to_csv(folder / "cmapss" / f"{name}.csv.gz", index=False)
    names = {"run": "experiment_tag", "cut": "timestamp"}
    cutters = _units(3, n_runs=3).rename(columns=names)
    tags = dict(zip(cutters["experiment_tag"].unique(), ("c1", "c4", TEST_CUTTER), strict=True))
    cutters["experiment_tag"] = cutters["experiment_tag"].map(tags)
    cutters.to_csv(folder / "phm2010" / "phm2010.csv.gz", index=False)
    recordings(4).to_csv(folder / "skab" / "skab_all.csv.gz", index=False)


def recordings(seed: int) -> pd.DataFrame:
    """Recordings of a circuit, with the columns that are left out."""
    frame = _units(seed).rename(columns={"run": "file", "cut": "datetime"})
    frame["anomaly"] = (frame.pop("tool_wear") > 0.15).astype(int)
    return frame.assign(group="valve1", changepoint=0)


def _units(seed: int, n_runs: int = 12) -> pd.DataFrame:
    return tool_wear_runs(n_runs=n_runs, seed=seed)
