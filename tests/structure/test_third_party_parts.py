"""A stranger adds a model, a stage, a meter and an engine, each in one file, and runs a study with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.structure.third_party import product_with

MODEL = '''"""Predicts the mean of the training target."""
import numpy as np
from cemai_opt.core.batch import Prediction
from cemai_opt.core.hyperparameters import real
from cemai_opt.models import Model

class Mean(Model):
    """Constant prediction."""
    cost_rank = 1
    @classmethod
    def hyperparameters(cls, task):
        return (real("shift", 0.0, high=1.0, default=0.0),)
    def _fit(self, X, y, *, group):
        self._mean = float(y.mean()) + self.params["shift"]
    def _predict(self, X):
        return Prediction(np.full(len(X), self._mean))
'''
STAGE = '''"""Doubles every variable."""
from cemai_opt.core.hyperparameters import flag
from cemai_opt.stages import Stage

class Double(Stage):
    """Twice the value."""
    order = 25
    @classmethod
    def hyperparameters(cls):
        return (flag("on", True),)
    def _run(self, batch, params):
        return batch.with_columns(batch.X * 2, batch.names) if params["on"] else batch
'''
METER = '''"""Counts readings as joules."""
from cemai_opt.meters import Availability, Meter

class Counting(Meter):
    """One joule a reading."""
    rank = 99
    count = 0
    @classmethod
    def availability(cls):
        return Availability(True)
    def _read_j(self):
        Counting.count += 1
        return float(Counting.count)
'''
ENGINE = '''"""Runs a plan that went through JSON, in a thread."""
import json
from concurrent.futures import ThreadPoolExecutor
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.serialization import from_json, to_json
from cemai_opt.engines import Engine
from cemai_opt.pipeline import build_pipeline

class Threaded(Engine):
    """One thread."""
    def __init__(self):
        self._pool = ThreadPoolExecutor(1)
    def _run(self, plan):
        copy = from_json(TrialPlan, json.loads(json.dumps(to_json(plan))))
        assert copy == plan
        return self._pool.submit(build_pipeline(copy.study).run, copy)
'''
FILES = {"models/mean": MODEL, "stages/double": STAGE, "meters/counting": METER, "engines/threaded": ENGINE}


def test_four_files_are_four_parts(tmp_path: Path, wear_csv: Path) -> None:
    """Dropped into their folders, the parts are listed, searched, run and measured with; nothing else is touched."""
    product_with(tmp_path / "product", FILES)
    (tmp_path / "space.yaml").write_text("models: [mean, ridge]\n")

    def cli(*arguments: object) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "cemai_opt", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path / "product")},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    listed = json.loads(cli("parts", "--json"))
    for place in FILES:
        kind, name = place.split("/")
        assert name in [part["name"] for part in listed[kind]]
    options = ["--target", "tool_wear", "--group", "run", "--space", "space.yaml", "--explain", "never"]
    options += ["--no-stop-early"]
    counting = ["--meter", "counting", "--engine", "threaded"]
    cli("optimize", "--data", wear_csv, *options, "--trials", 8, *counting, "--out", "r")
    lines = [json.loads(line) for line in (tmp_path / "r" / "trials.jsonl").read_text().splitlines()]
    assert [line["state"] for line in lines] == ["complete"] * len(lines)
    assert {line["config"]["train"]["model"] for line in lines} == {"mean", "ridge"}
    assert all("on" in line["config"]["double"] for line in lines)
    assert all(row["source"].startswith("Counting") for line in lines for row in line["cost"])
