"""Graphs that another runtime computes as we do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cemai_opt.core.onnx_graph import IR_VERSION, OPSET, OnnxGraph, Port

onnx = pytest.importorskip("onnx")

IN, OUT = Port("x", np.float32, ("rows", 2)), Port("y", np.float32, ("rows", 2))


def computed(model: Any, **inputs: np.ndarray) -> Any:
    """The first output, by ONNX's own reference."""
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(model).run(None, inputs)[0]


def doubled() -> Any:
    """A model that doubles."""
    graph = OnnxGraph()
    return graph.model([IN], {graph.add("Mul", "x", graph.constant(2.0, np.float32)): OUT})


def test_a_graph_computes_what_was_built() -> None:
    """Operators in their order, constants in their type."""
    graph = OnnxGraph()
    factor, offset = graph.constant([2.0, 10.0], np.float32), graph.constant(1, np.float32)
    model = graph.model([IN], {graph.add("Add", graph.add("Mul", "x", factor), offset): OUT})
    assert computed(model, x=np.array([[1, 2], [3, 4]], np.float32)).tolist() == [[3, 21], [7, 41]]


def test_a_graph_says_for_which_runtimes_it_is() -> None:
    """The versions that old runtimes know too, and any number of rows."""
    model = doubled()
    assert model.ir_version == IR_VERSION
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", OPSET)]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "rows"


def test_a_model_inside_a_model_is_computed_on_its_inputs() -> None:
    """Twice the same one: their names do not clash."""
    graph = OnnxGraph()
    (once,) = graph.embed(doubled(), ["x"])
    (twice,) = graph.embed(doubled(), [once])
    assert computed(graph.model([IN], {twice: OUT}), x=np.ones((3, 2), np.float32)).tolist() == [[4, 4]] * 3


def test_a_loop_carries_its_state_from_row_to_row() -> None:
    """A running sum."""
    body = OnnxGraph()
    row = Port("row", np.float32, (2,))
    total = body.add("Add", "state", "row")
    step = body.model(
        [Port("state", np.float32, (2,)), row],
        {total: Port("next", np.float32, (2,)), body.add("Identity", total): Port("out", np.float32, (2,))},
    ).graph
    graph = OnnxGraph()
    sums = graph.add_loop(graph.constant([0.0, 100.0], np.float32), "x", body=step)
    rows = np.array([[1, 1], [2, 2], [3, 3]], np.float32)
    assert computed(graph.model([IN], {sums: OUT}), x=rows).tolist() == [[1, 101], [3, 103], [6, 106]]


def test_a_cast_changes_the_type_alone() -> None:
    """Whole numbers become real ones."""
    graph = OnnxGraph()
    model = graph.model([Port("x", np.int64, ("rows", 2))], {graph.cast("x", np.float32): OUT})
    y = computed(model, x=np.array([[1, 2]]))
    assert (y.dtype, y.tolist()) == (np.float32, [[1.0, 2.0]])


def test_a_graph_that_no_runtime_can_load_is_not_built() -> None:
    """It has a value that nothing computes."""
    graph = OnnxGraph()
    with pytest.raises(onnx.checker.ValidationError, match="nowhere"):
        graph.model([IN], {graph.add("Identity", "nowhere"): OUT})
