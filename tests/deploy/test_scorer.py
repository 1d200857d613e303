"""A fitted pipeline on new rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.plan import Config
from cemai_opt.core.serialization import from_json, to_json
from cemai_opt.datasets import NewRows
from cemai_opt.deploy import onnx_scorer
from cemai_opt.deploy.model_document import ScorerDocument
from cemai_opt.deploy.onnx_scorer import OnnxScorer, scoring_graph
from cemai_opt.deploy.scorer import Scorer
from cemai_opt.pipeline import stage_order
from cemai_opt.stages import STAGES, featurize
from cemai_opt.testing.batches import batch_of, run_stages
from tests.contracts.test_every_stage import UPSTREAM, values_of

N_GROUPS, GROUP_ROWS = 4, 90


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
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(N_GROUPS), GROUP_ROWS)
    X = rng.normal(size=(len(group), 3)).cumsum(axis=0)
    X[rng.random(X.shape) < 0.2] = np.nan
    X[group == 3, 0] = np.where(np.arange(GROUP_ROWS) == 2, 5.0, np.nan)  # a value known once, long ago
    return X, rng.normal(size=len(group)), group


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_predictions_are_those_of_training_whatever_the_stages(data: st.DataObject) -> None:
    """On the same rows to the last bit: alone, beside other groups, in small blocks, in a file without any order."""
    stages = {
        stage: {
            hyperparameter.name: data.draw(values_of(hyperparameter), f"{stage}.{hyperparameter.name}")
            for hyperparameter in STAGES.find(stage).hyperparameters()
        }
        for stage in UPSTREAM
    }
    stages["featurize"]["window_rows"] = min(int(stages["featurize"]["window_rows"]), 12)
    X, y, group = rows_with_gaps()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(featurize, "RESTART_ROWS", 16)
        patch.setattr(featurize, "START_ROWS", 5)
        scorer, trained = fitted(X, y, group, **stages)
        last = group == N_GROUPS - 1
        assert np.array_equal(trained, scorer.predict(X[last], group[last]).value)
        shuffled = np.random.default_rng(1).permutation(len(X))
        stored = NewRows(X=X[shuffled], group=group[shuffled], order=np.arange(len(X), dtype=float)[shuffled], notes=())
        for block_rows in (3, 7, 40, 200, 1000):
            got = np.full(len(X), np.nan)
            for numbers, prediction in scorer.predict_stored(stored, block_rows):
                assert np.isnan(got[numbers]).all()
                got[numbers] = prediction.value
            assert np.array_equal(trained, got[np.argsort(shuffled)][last])


@pytest.mark.parametrize("name", [name for name in STAGES.names if STAGES.find(name).is_for_new_rows])
def test_a_stage_that_knows_enough_learns_nothing_more(name: str) -> None:
    """New rows are treated by what the training rows taught, whatever their own mean and range."""
    X, y, group = rows_with_gaps()
    scorer, _ = fitted(X, y, group, scale={"input": "minmax"})
    one = X[:1] * 1e3
    far = np.vstack([one, X[1:] * 1e6])
    together = scorer.prepared(far, np.arange(len(far)))
    assert np.array_equal(together.X[0], scorer.prepared(one, np.zeros(1, int)).X[0])
    assert name in [step.name for step in scorer.steps]


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_the_onnx_graph_does_what_the_stages_do(data: st.DataObject) -> None:
    """From raw rows with gaps to predictions, whatever the stages: alone, in groups, and in blocks on disk."""
    pytest.importorskip("onnxruntime")
    stages = {
        stage: {
            hyperparameter.name: data.draw(values_of(hyperparameter), f"{stage}.{hyperparameter.name}")
            for hyperparameter in STAGES.find(stage).hyperparameters()
        }
        for stage in UPSTREAM
    }
    stages["featurize"]["window_rows"] = min(int(stages["featurize"]["window_rows"]), 12)
    stages["featurize"]["peak_frequency"] = False
    X, y, group = rows_with_gaps()
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr(featurize, "START_ROWS", 5)
        patch.setattr(onnx_scorer, "BLOCK_VALUES", 3 * 64 * 20)
        scorer, trained = fitted(X, y, group, **stages)
        file = Path(folder) / "model.onnx"
        file.write_bytes(scoring_graph(scorer).SerializeToString())
        onnx = OnnxScorer(file, scorer.lookback, window=scorer.window)
        last = group == N_GROUPS - 1
        close = {"rtol": 1e-3, "atol": 1e-3 * y.std()}
        assert np.allclose(trained, onnx.predict(X[last], group[last]).value, **close)
        stored = NewRows(X=X, group=group, order=np.arange(len(X), dtype=float), notes=())
        got = np.full(len(X), np.nan)
        for numbers, prediction in onnx.predict_stored(stored):
            got[numbers] = prediction.value
        assert np.allclose(trained, got[last], **close)


def test_a_scaled_target_comes_back_in_its_own_unit() -> None:
    """Shift and factor survive the files."""
    X, y, group = rows_with_gaps()
    scorer, trained = fitted(X, 1e3 + 50 * y, group, scale={"input": "standard", "target": "standard"})
    last = group == N_GROUPS - 1
    assert np.array_equal(trained, scorer.predict(X[last], group[last]).value)
    assert abs(trained.mean() - 1e3) < 100
