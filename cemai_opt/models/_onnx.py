"""Fitted models as ONNX graphs, created by the converters of their libraries."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from cemai_opt.core.batch import IntArray
from cemai_opt.core.onnx_graph import OPSET, OnnxGraph, Port

ML_OPSET = 3
"""Version of the operators for trees; the latest that all converters used here support."""
XGBOOST_OPSET = 15
"""The latest version that the converter of XGBoost supports; its output has the same meaning in version 18."""
LIGHTGBM_OPSET = 15
"""Likewise for the converter of LightGBM."""
INPUT = "X"


@dataclass(frozen=True, kw_only=True)
class FlatInput:
    """Windows (n, window, n_features) as one flat row each: time-major, or as `transform` makes them from the input.

    `transform` adds nodes to a graph, and returns the name of the flat rows: (n, width).
    """

    window: int
    n_features: int
    transform: Callable[[OnnxGraph], str] | None = None
    width: int | None = None

    @property
    def n_flat(self) -> int:
        """Numbers in a flat row."""
        return self.width if self.width is not None else self.window * self.n_features

    def rows(self, graph: OnnxGraph) -> str:
        """The flat rows."""
        if self.transform is not None:
            return self.transform(graph)
        return graph.add("Reshape", INPUT, graph.constant([-1, self.n_flat], np.int64))


def converted_estimator(fitted: Any, seen: IntArray | None, *, n_classes: int, x: FlatInput) -> Any:
    """A scikit-learn estimator on flat rows; `seen` are the classes seen in training, None for a regression."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    fitted = _with_single_thresholds(fitted)
    inner = to_onnx(
        fitted,
        initial_types=[(INPUT, FloatTensorType([None, x.n_flat]))],
        target_opset={"": OPSET, "ai.onnx.ml": ML_OPSET},
        options=None if seen is None else {id(fitted): {"zipmap": False}},
    )
    return _around(inner, seen, n_classes=n_classes, x=x)


def _with_single_thresholds(fitted: Any) -> Any:
    """A copy whose trees make the same decisions with thresholds in single precision, as in ONNX.

    For an `x` in single precision, `x <= threshold` is equivalent to a comparison with the largest single-precision
    number up to the threshold; rounding to the nearest one could change the result for one value.
    """
    fitted = copy.deepcopy(fitted)
    trees = [tree.tree_ for tree in np.ravel(getattr(fitted, "estimators_", fitted)) if hasattr(tree, "tree_")]
    arrays = [tree.threshold for tree in trees]
    predictors = [p for grown in getattr(fitted, "_predictors", ()) for p in grown]
    arrays += [predictor.nodes["num_threshold"] for predictor in predictors]
    for thresholds in arrays:
        single = thresholds.astype(np.float32)
        thresholds[:] = np.where(single > thresholds, np.nextafter(single, np.float32(-np.inf)), single)
    return fitted


def converted_xgboost(booster: Any, seen: IntArray | None, *, n_classes: int, x: FlatInput) -> Any:
    """An XGBoost booster on flat rows."""
    from onnxmltools import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    types = [(INPUT, FloatTensorType([None, x.n_flat]))]
    inner = convert_xgboost(booster, initial_types=types, target_opset=XGBOOST_OPSET)
    return _around(inner, seen, n_classes=n_classes, x=x)


def converted_lightgbm(booster: Any, seen: IntArray | None, *, n_classes: int, x: FlatInput) -> Any:
    """A LightGBM booster on flat rows."""
    from onnxmltools import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    types = [(INPUT, FloatTensorType([None, x.n_flat]))]
    inner = convert_lightgbm(booster, initial_types=types, target_opset=LIGHTGBM_OPSET, zipmap=False)
    return _around(inner, seen, n_classes=n_classes, x=x)


def converted_network(net: Any, scale: tuple[float, float] | None, *, window: int, n_features: int) -> Any:
    """A network on windows; for a regression, `scale` is the factor and shift of its output."""
    import torch

    with _quiet("torch.onnx"):
        program = torch.onnx.export(
            net,
            (torch.zeros(2, window, n_features),),
            dynamo=True,
            opset_version=OPSET,
            dynamic_shapes=({0: torch.export.Dim("n")},),
            verbose=False,
        )
    assert program is not None, "the exporter returns a program"
    graph = OnnxGraph()
    (output,) = graph.embed(program.model_proto, [INPUT])
    output = graph.cast(output, np.float64)
    if scale is None:
        return _finished(graph, graph.add("Softmax", output, axis=1), window=window, n_features=n_features)
    factor, shift = (graph.constant(number, np.float64) for number in scale)
    return _finished(
        graph,
        graph.add("Add", graph.add("Mul", output, factor), shift),
        window=window,
        n_features=n_features,
        is_value=True,
    )


def affine(weights: np.ndarray, intercept: np.ndarray, *, seen: IntArray | None, n_classes: int, x: FlatInput) -> Any:
    """A linear model in double precision; `weights`: (n_outputs, n_flat)."""
    graph = OnnxGraph()
    flat = graph.cast(x.rows(graph), np.float64)
    products = graph.add("MatMul", flat, graph.constant(np.atleast_2d(weights).T, np.float64))
    output = graph.add("Add", products, graph.constant(np.atleast_1d(intercept), np.float64))
    if seen is None:
        return _finished(graph, output, window=x.window, n_features=x.n_features, is_value=True)
    if len(np.atleast_2d(weights)) == 1:
        output = graph.add("Concat", graph.add("Neg", output), output, axis=1)
    return _finished(
        graph, _by_class(graph, output, seen=seen, n_classes=n_classes), window=x.window, n_features=x.n_features
    )


def constant(seen: IntArray, n_classes: int, *, x: FlatInput) -> Any:
    """A classifier that has seen a single class in training."""
    graph = OnnxGraph()
    zeros = graph.add("Mul", graph.cast(x.rows(graph), np.float64), graph.constant(0.0, np.float64))
    summed = graph.add("ReduceSum", zeros, graph.constant([1], np.int64), keepdims=1)
    scores = np.zeros((1, n_classes))
    scores[0, seen] = 1.0
    return _finished(graph, graph.add("Add", summed, graph.constant(scores)), window=x.window, n_features=x.n_features)


def _around(inner: Any, seen: IntArray | None, *, n_classes: int, x: FlatInput) -> Any:
    """The converted model with windows as its input, and scores for all classes as its output."""
    graph = OnnxGraph()
    output = graph.cast(graph.embed(inner, [x.rows(graph)])[-1], np.float64)
    if seen is None:
        return _finished(graph, output, window=x.window, n_features=x.n_features, is_value=True)
    columns = graph.add("Reshape", output, graph.constant([0, -1], np.int64))
    if len(seen) == 2:  # some converters write both columns, others only the second one
        second = graph.add("Gather", columns, graph.constant([-1], np.int64), axis=1)
        columns = graph.add("Concat", graph.add("Sub", graph.constant(1.0), second), second, axis=1)
    return _finished(
        graph, _by_class(graph, columns, seen=seen, n_classes=n_classes), window=x.window, n_features=x.n_features
    )


def _by_class(graph: OnnxGraph, scores: str, *, seen: IntArray, n_classes: int) -> str:
    """Scores of all classes; those not seen in training have the lowest score."""
    if len(seen) == n_classes:
        return scores
    lowest = graph.add("ReduceMin", scores, graph.constant([1], np.int64), keepdims=1)
    lowest = graph.add("Min", lowest, graph.constant(0.0))
    place = np.full(n_classes, len(seen))
    place[seen] = np.arange(len(seen))
    return graph.add("Gather", graph.add("Concat", scores, lowest, axis=1), graph.constant(place), axis=1)


def _finished(graph: OnnxGraph, output: str, *, window: int, n_features: int, is_value: bool = False) -> Any:
    port = Port("by_class", np.float64, ("n", "n_classes"))
    if is_value:
        output = graph.add("Reshape", output, graph.constant([-1], np.int64))
        port = Port("value", np.float64, ("n",))
    return graph.model([Port(INPUT, np.float32, ("n", window, n_features))], {output: port})


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Suppresses a library's warnings about its optional dependencies."""
    import warnings

    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
