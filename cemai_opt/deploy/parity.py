"""Compares the forms of an exported model with the model in memory, on test rows that were not used in training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cemai_opt.core.batch import Batch, IntArray, Prediction
from cemai_opt.core.errors import CemaiError, StudyError
from cemai_opt.core.registry import need
from cemai_opt.datasets import Dataset, NewRows
from cemai_opt.deploy.average_scorer import AnyScorer, restored_scorer
from cemai_opt.deploy.model_document import AverageDocument, NativeParity, OnnxForm, OnnxParity, ScorerDocument
from cemai_opt.deploy.model_folder import ONNX
from cemai_opt.deploy.onnx_scorer import OnnxScorer, scoring_graph

ONNX_LIBRARIES = ("onnx", "onnxruntime", "skl2onnx", "onnxmltools")
ONNX_TOLERANCE = 1e-3
"""An ONNX prediction counts as equal if it is this close, in standard deviations of the predictions: ONNX computes
models in single precision, and features in another order."""
ONNX_MIN_SHARE = 0.99
"""Share of predictions that must be equal, or no ONNX form is written. Not all of them: rounding may move a value to
the other side of a tree's threshold."""


@dataclass(frozen=True)
class TestedRows:
    """All rows of the groups that are tested; `wanted` are the numbers of the test rows among them: (n_test,)."""

    rows: NewRows
    wanted: IntArray

    @staticmethod
    def of(batch: Batch, data: Dataset) -> TestedRows:
        """The rows that a scorer needs to predict the evaluation rows of `batch`."""
        tested = np.isin(data.group, np.unique(data.group[batch.eval_rows]))
        wanted = np.searchsorted(np.flatnonzero(tested), batch.eval_rows)
        order = np.arange(int(tested.sum()), dtype=np.float64)
        return TestedRows(NewRows(X=data.X[tested], group=data.group[tested], order=order), wanted)

    def picked(self, predictions: Iterable[tuple[IntArray, Prediction]]) -> np.ndarray:
        """Predicted values of the test rows, from blocks of predictions in any order: (n_test,)."""
        value = np.full(len(self.rows.X), np.nan)
        for numbers, prediction in predictions:
            value[numbers] = prediction.value
        return value[self.wanted]


def native_parity(
    batch: Batch, data: Dataset, *, folder: Path, document: ScorerDocument | AverageDocument
) -> NativeParity:
    """Compares the model restored from its files with the one in memory: CemaiError unless they are bitwise equal."""
    assert batch.prediction is not None, "a complete batch has predictions"
    tested = TestedRows.of(batch, data)
    again = tested.picked(restored_scorer(folder, document).predict_stored(tested.rows))
    differing = int((again != batch.prediction.value).sum())
    if differing and batch.task.device == "cpu":
        raise CemaiError(f"the saved model predicts {differing} of {len(again)} test rows differently", "report this")
    return NativeParity(rows=len(again), differing=differing)


def onnx_form(scorer: AnyScorer, batch: Batch, *, data: Dataset, folder: Path) -> OnnxForm:
    """Writes the ONNX form if there is one with equal predictions; else returns the reason why there is none."""
    try:
        need(*ONNX_LIBRARIES, *(["onnxscript"] if "torch" in scorer.libraries else []))
        graph = scoring_graph(scorer)
    except StudyError as error:
        return OnnxForm(file=None, why=str(error))
    file = folder / ONNX
    file.write_bytes(graph.SerializeToString())
    parity = _onnx_parity(scorer, batch, data=data, file=file)
    if parity.share_alike < ONNX_MIN_SHARE:
        file.unlink()
        return OnnxForm(file=None, why=f"only {parity.share_alike:.2%} of its predictions agree", parity=parity)
    opsets = {opset.domain or "ai.onnx": opset.version for opset in graph.opset_import}
    return OnnxForm(file=ONNX, opsets=opsets, parity=parity)


def _onnx_parity(scorer: AnyScorer, batch: Batch, *, data: Dataset, file: Path) -> OnnxParity:
    assert batch.prediction is not None, "a complete batch has predictions"
    tested = TestedRows.of(batch, data)
    onnx = OnnxScorer(file, scorer.lookback, window=scorer.window)
    ours, theirs = batch.prediction.value, tested.picked(onnx.predict_stored(tested.rows))
    if batch.task.is_classification:
        return OnnxParity(rows=len(ours), tolerance="the same class", share_alike=float((ours == theirs).mean()))
    tolerance = ONNX_TOLERANCE * (float(ours.std()) or 1.0)
    difference = np.abs(theirs - ours)
    return OnnxParity(
        rows=len(ours),
        tolerance=tolerance,
        share_alike=float((difference <= tolerance).mean()),
        largest_difference=float(difference.max()),
        mean_difference=float(difference.mean()),
    )
