"""What tests of deployment share: an exported ridge, and a fitted pipeline on rows with gaps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from cemai_opt.compose import reopen
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.plan import Config
from cemai_opt.core.serialization import from_json, to_json
from cemai_opt.deploy import export
from cemai_opt.deploy.export import Exported
from cemai_opt.deploy.model_document import ScorerDocument
from cemai_opt.deploy.picked import Picked
from cemai_opt.deploy.scorer import Scorer
from cemai_opt.pipeline import stage_order
from cemai_opt.stages import STAGES
from cemai_opt.testing.batches import batch_of, run_stages
from tests.finished import finished_run, picked_with

FEATURES = {"rolling": "mean_std_range", "window_rows": 6, "trend": "slope_sin_cos", "since_start": True}
N_GROUPS, GROUP_ROWS = 4, 90


def rows_of(task: str) -> Path:
    """The data file of the finished run."""
    return finished_run(task).path.parent / "rows.csv"


def export_of(picked: Picked, out: Path) -> Exported:
    """The member in a model folder."""
    prepared = reopen(picked.folder)
    return export.export_model(picked, out, study=prepared.study, rows=prepared.data)


@pytest.fixture(scope="session")
def ridge(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """An exported ridge on windows and features of the past; not to be changed."""
    picked = picked_with("regression", "ridge", featurize=FEATURES, sequentialize={"window_rows": 4})
    return export_of(picked, tmp_path_factory.mktemp("export") / "ridge")


def fitted(X: np.ndarray, y: np.ndarray, group: np.ndarray, **stages: Mapping[str, Value]) -> tuple[Scorer, np.ndarray]:
    """The scorer of a pipeline after a way through files, and its training-time predictions of the last group."""
    stages = {"train": {"model": "ridge"}, **stages}
    batch = run_stages(batch_of(X, y, group=group), **stages)
    names = tuple(f"v{i}" for i in range(X.shape[1]))
    scorer = Scorer.of(batch, names, config=Config(stages), stages=stage_order(STAGES.names))
    with TemporaryDirectory() as folder:
        document = from_json(ScorerDocument, json.loads(json.dumps(to_json(scorer.save(Path(folder))))))
        assert batch.prediction is not None
        return Scorer.restored(Path(folder), document), batch.prediction.value


def rows_with_gaps() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, targets and groups; a fifth of the values is missing."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(N_GROUPS), GROUP_ROWS)
    X = rng.normal(size=(len(group), 3)).cumsum(axis=0)
    X[rng.random(X.shape) < 0.2] = np.nan
    X[group == 3, 0] = np.where(np.arange(GROUP_ROWS) == 2, 5.0, np.nan)  # a value known once, long ago
    return X, rng.normal(size=len(group)), group
