"""Small finished runs that tests of reports and exports share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pandas as pd

from cemai_opt.api import Run, optimize
from cemai_opt.core.average import AVERAGE, NO_TRIAL, Part
from cemai_opt.core.plan import Config
from cemai_opt.datasets.demo import tool_wear_runs
from cemai_opt.deploy.picked import Picked, pick
from cemai_opt.models import MODELS
from cemai_opt.runs import RunFolder

CHEAP: dict[str, Any] = {
    "epochs": 5,
    "patience": 3,
    "n_estimators": 10,
    "max_iter": 20,
}
"""Hyperparameters that make any model that has them quick to train."""


def solving(task: str) -> list[str]:
    """Names of the models that solve a task."""
    return [name for name in MODELS.names if task in MODELS.find(name).tasks]


def tools(seed: int = 7) -> pd.DataFrame:
    """Twelve tools with a text column, and the class "worn" beside the wear."""
    frame = tool_wear_runs(n_runs=12, seed=seed)
    frame["material"] = np.where(frame["run"].str[-1].astype(int) % 2 == 0, "steel", "brass")
    frame["worn"] = np.where(frame["tool_wear"] > 0.2, "worn", np.where(frame["tool_wear"] > 0.1, "used", "fresh"))
    return frame


@cache
def finished_run(task: str) -> Run:
    """A run of eight trials on the twelve tools, and its rows as `rows.csv` beside it."""
    folder = Path(mkdtemp(prefix=f"cemai-opt-{task}-"))
    target, other = ("tool_wear", "worn") if task == "regression" else ("worn", "tool_wear")
    tools().drop(columns=other).to_csv(folder / "rows.csv", index=False)
    return optimize(
        folder / "rows.csv",
        out=folder / "run",
        target=target,
        group="run",
        time="cut",
        space="quick",
        trials=8,
        confirm=1,
        engine="in_process",
    )


def picked_with(task: str, model: str, **stages: dict[str, Any]) -> Picked:
    """The knee of the finished run, with another model and other stages: as if the search had found that."""
    knee = pick(RunFolder(finished_run(task).path), "knee")
    known = {hyperparameter.name for hyperparameter in MODELS.require(model).hyperparameters(task)}
    train = {"model": model, **{name: value for name, value in CHEAP.items() if name in known}}
    member = replace(knee.member, config=Config({"train": train, **stages}))
    return replace(knee, member=member, parts=((1.0, member),))


def average_of_picked(parts: Sequence[tuple[float, Picked]], threshold: float | None = None) -> Picked:
    """The average of several picked members: as if the search had found that."""
    members = [(weight, replace(part.member, trial=i)) for i, (weight, part) in enumerate(parts)]
    evaluate = {} if threshold is None else {"evaluate": {"threshold": threshold}}
    average = replace(
        parts[0][1].member,
        trial=NO_TRIAL,
        model=AVERAGE,
        config=Config({"train": {"model": AVERAGE}, **evaluate}),
        parts=tuple(Part(trial=part.trial, weight=weight) for weight, part in members),
    )
    return replace(parts[0][1], rule=AVERAGE, member=average, parts=tuple(members))
