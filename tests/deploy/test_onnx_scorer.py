"""The whole scoring path as one ONNX graph."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cemai_opt.datasets import NewRows
from cemai_opt.deploy import onnx_scorer
from cemai_opt.deploy.onnx_scorer import BY_CLASS, PREDICTION, ROWS, OnnxScorer, scoring_graph
from tests.contracts.test_every_stage import drawn_stages
from tests.deploy.conftest import N_GROUPS, fitted, rows_with_gaps


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_the_onnx_graph_does_what_the_stages_do(data: st.DataObject) -> None:
    """From raw rows with gaps to predictions, whatever the stages: alone, in groups, and in blocks on disk."""
    pytest.importorskip("onnxruntime")
    stages = drawn_stages(data)
    stages["featurize"]["peak_frequency"] = False
    X, y, group = rows_with_gaps()
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
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


def test_the_graph_has_one_input_and_the_predictions() -> None:
    """Rows of three values in, a number for each out; classes would have scores as well."""
    pytest.importorskip("onnx")
    scorer, _ = fitted(*rows_with_gaps())
    graph = scoring_graph(scorer).graph
    assert [port.name for port in graph.input] == [ROWS]
    assert graph.input[0].type.tensor_type.shape.dim[1].dim_value == 3
    assert [port.name for port in graph.output] == [PREDICTION] != [PREDICTION, BY_CLASS]
