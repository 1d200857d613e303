"""The whole scoring path as one ONNX graph, and its inference by onnxruntime."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cemai_opt.core.batch import MARGIN, FloatArray, IntArray, Prediction, group_starts
from cemai_opt.core.onnx_graph import OnnxGraph, Port
from cemai_opt.datasets import NewRows
from cemai_opt.deploy.average_scorer import AnyScorer, AverageScorer
from cemai_opt.deploy.blocks import blocks
from cemai_opt.deploy.scorer import Scorer
from cemai_opt.stages import STAGES, Lookback

ROWS, PREDICTION, BY_CLASS = "rows", "prediction", "by_class"
BLOCK_VALUES = 2**22
"""Numbers in the windows of one block: the graph holds all of them at once, 32 MB for each statistic."""


def scoring_graph(scorer: AnyScorer) -> Any:
    """The scorer as an ONNX model. StudyError if a stage or a model has no ONNX form.

    Input: `rows` (t, n_inputs) float64, NaN where a value is missing: rows of one group in time order, beginning with
    as many earlier rows as the pipeline looks back. Outputs: `prediction` (t,), for classification the number of the
    class, and `by_class` (t, n_classes) with the scores of the classes.
    """
    graph = OnnxGraph()
    output = _output(graph, scorer) if isinstance(scorer, Scorer) else _average(graph, scorer)
    inputs = [Port(ROWS, np.float64, ("t", len(scorer.inputs)))]
    if scorer.task.is_classification:
        label = _label(graph, output, threshold=scorer.task.threshold)
        by_class = Port(BY_CLASS, np.float64, ("t", scorer.task.n_classes))
        return graph.model(inputs, {label: Port(PREDICTION, np.int64, ("t",)), output: by_class})
    return graph.model(inputs, {output: Port(PREDICTION, np.float64, ("t",))})


def _output(graph: OnnxGraph, scorer: Scorer) -> str:
    """The prediction of one pipeline in the target's own unit, or its scores of the classes."""
    value, codes = _split(graph, len(scorer.inputs), n_codes=len(scorer.task.n_levels))
    for step in scorer.steps:
        if step.name == "sequentialize" and codes:
            value = graph.add("Concat", graph.cast(value, np.float32), graph.cast(codes, np.float32), axis=1)
        value = STAGES.find(step.name).onnx(graph, value, params=step.params, state=step.state)
    (output,) = graph.embed(scorer.model.onnx(scorer.window, scorer.n_features), [value])
    if scorer.task.is_classification:
        return output
    target = scorer.target
    factor, shift = graph.constant(target.factor, np.float64), graph.constant(target.shift, np.float64)
    value = graph.add("Add", graph.add("Mul", output, factor), shift)
    if not target.is_log:
        return value
    return graph.add("Exp", graph.add("Min", value, graph.constant(math.log(MARGIN * target.high), np.float64)))


def _average(graph: OnnxGraph, scorer: AverageScorer) -> str:
    """The weighted sum of the outputs of all parts."""
    total = ""
    for part in scorer.parts:
        share = graph.add("Mul", _output(graph, part.scorer), graph.constant(part.weight, np.float64))
        total = graph.add("Add", total, share) if total else share
    return total


def _split(graph: OnnxGraph, n_inputs: int, *, n_codes: int) -> tuple[str, str | None]:
    """Numbers, and codes of categories if there are any; a missing code is -1."""
    if not n_codes:
        return ROWS, None
    numbers, codes = (
        graph.add("Gather", ROWS, graph.constant(columns, np.int64), axis=1)
        for columns in np.split(np.arange(n_inputs), [n_inputs - n_codes])
    )
    return numbers, graph.add("Where", graph.add("IsNaN", codes), graph.constant(-1.0), codes)


def _label(graph: OnnxGraph, by_class: str, *, threshold: float | None) -> str:
    """The number of the predicted class."""
    if threshold is None:
        return graph.add("ArgMax", by_class, axis=1, keepdims=0)
    positive = graph.add("Gather", by_class, graph.constant(1, np.int64), axis=1)
    return graph.cast(graph.add("Greater", positive, graph.constant(threshold, np.float64)), np.int64)


class OnnxScorer:
    """Predicts rows with the graph in a file, with onnxruntime on the CPU."""

    def __init__(self, file: Path, lookback: Lookback, *, window: int, threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self._lookback = replace(lookback, restart_rows=0)
        self._span = max(lookback.rows, window)
        self._has_classes = len(self._session.get_outputs()) > 1

    def predict(self, X: FloatArray, group: IntArray) -> Prediction:
        """Predictions of all rows: `X` (n_rows, n_inputs), groups (n_rows,) as for `Scorer.predict`."""
        if self._lookback == Lookback():  # rows are independent of each other
            return self._run(X)
        starts = np.flatnonzero(group_starts(group) == np.arange(len(group)))
        parts = [self._run(part) for part in np.split(X, starts[1:])]
        by_class = [part.by_class for part in parts if part.by_class is not None]
        value = np.concatenate([part.value for part in parts])
        return Prediction(value, np.concatenate(by_class) if by_class else None)

    def predict_stored(self, rows: NewRows) -> Iterator[tuple[IntArray, Prediction]]:
        """Predictions for rows that may not fit into memory: row numbers in the file, with their predictions."""
        block_rows = max(BLOCK_VALUES // (rows.X.shape[1] * self._span), 256)
        for block in blocks(rows, self._lookback, block_rows=block_rows):
            prediction = self.predict(block.X, block.group)
            wanted = slice(len(block.X) - len(block.numbers), None)
            by_class = prediction.by_class[wanted] if prediction.by_class is not None else None
            yield block.numbers, Prediction(prediction.value[wanted], by_class)

    def _run(self, X: FloatArray) -> Prediction:
        outputs = self._session.run(None, {ROWS: X})
        return Prediction(np.asarray(outputs[0], np.float64), outputs[1] if self._has_classes else None)
