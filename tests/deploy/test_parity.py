"""The forms of an exported model predict as the model in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cemai_opt.compose import reopen
from cemai_opt.core.batch import Batch, Prediction
from cemai_opt.core.errors import CemaiError
from cemai_opt.datasets import Dataset
from cemai_opt.deploy import parity as parity_of
from cemai_opt.deploy.model_folder import ONNX
from cemai_opt.deploy.parity import native_parity, onnx_form
from cemai_opt.deploy.scorer import Scorer
from cemai_opt.pipeline import build_pipeline
from tests.finished import picked_with

Fitted = tuple[Batch, Dataset, Scorer]


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    """A ridge on windows of the past, with its test rows predicted; the data; the scorer."""
    picked = picked_with("regression", "ridge", sequentialize={"window_rows": 4})
    prepared = reopen(picked.folder)
    plan = picked.plans(prepared.study)[0]
    _, batch = build_pipeline(prepared.study).fitted(plan)
    assert batch is not None
    return batch, prepared.data, Scorer.of(batch, prepared.data.names, config=plan.config, stages=plan.stages)


def off_by_one(batch: Batch, n_rows: int) -> Batch:
    """The batch, with other predictions in its first rows."""
    assert batch.prediction is not None
    value = batch.prediction.value.copy()
    value[:n_rows] += 1.0
    return replace(batch, prediction=Prediction(value))


def test_tested_rows_are_whole_groups(fitted: Fitted) -> None:
    """With the earlier rows that a prediction needs; picking finds the test rows among them in any order."""
    batch, data, _ = fitted
    tested = parity_of.TestedRows.of(batch, data)
    assert set(tested.rows.group) == set(batch.group[batch.eval_rows])
    assert np.array_equal(tested.rows.X[tested.wanted], data.X[batch.eval_rows], equal_nan=True)
    shuffled = np.random.default_rng(0).permutation(len(tested.rows.X))
    blocks = ((part, Prediction(part.astype(float))) for part in np.array_split(shuffled, 5))
    assert np.array_equal(tested.picked(blocks), tested.wanted)


def test_the_restored_model_predicts_the_same_bits(fitted: Fitted, tmp_path: Path) -> None:
    """Of every test row; a single other prediction is an error."""
    batch, data, scorer = fitted
    document = scorer.save(tmp_path)
    parity = native_parity(batch, data, folder=tmp_path, document=document)
    assert (parity.rows, parity.differing) == (len(batch.eval_rows), 0)
    with pytest.raises(CemaiError, match="predicts 1 of"):
        native_parity(off_by_one(batch, 1), data, folder=tmp_path, document=document)


def test_the_onnx_form_is_written_if_it_agrees(fitted: Fitted, tmp_path: Path) -> None:
    """With how closely, and what it needs to run."""
    pytest.importorskip("onnxruntime")
    batch, data, scorer = fitted
    form = onnx_form(scorer, batch, data=data, folder=tmp_path)
    assert form.file == ONNX
    assert (tmp_path / ONNX).stat().st_size > 0
    assert form.parity is not None
    assert form.parity.share_alike >= 0.99
    assert form.parity.rows == len(batch.eval_rows)
    assert "ai.onnx" in (form.opsets or {})


def test_an_onnx_form_that_differs_is_not_written(fitted: Fitted, tmp_path: Path) -> None:
    """More than one prediction in a hundred: no file, but the reason and the comparison."""
    pytest.importorskip("onnxruntime")
    batch, data, scorer = fitted
    form = onnx_form(scorer, off_by_one(batch, len(batch.eval_rows) // 10), data=data, folder=tmp_path)
    assert form.file is None
    assert "of its predictions agree" in form.why
    assert form.parity is not None
    assert 0.89 < form.parity.share_alike < 0.91
    assert list(tmp_path.iterdir()) == []
