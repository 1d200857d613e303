"""A builder of ONNX graphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

OPSET = 18
"""Version of the standard operators, supported by onnxruntime 1.14 (February 2023) and later."""
IR_VERSION = 8
"""Version of the file format that came with that opset."""


@dataclass(frozen=True)
class Port:
    """An input or output of a whole graph; `shape` has a name for each dynamic dimension."""

    name: str
    dtype: npt.DTypeLike
    shape: tuple[int | str, ...]


@dataclass
class OnnxGraph:
    """Nodes in the order of computation. Values are identified by name; methods return names of new ones."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)
    opsets: dict[str, int] = field(default_factory=lambda: {"": OPSET})

    def constant(self, value: npt.ArrayLike, dtype: npt.DTypeLike | None = None) -> str:
        """A constant."""
        from onnx import numpy_helper

        name = f"c{len(self.constants)}_{len(self.nodes)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """The only output of an operator."""
        from onnx import helper

        name = f"v{len(self.constants)}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def add_first(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """The first of two outputs of an operator."""
        from onnx import helper

        name = f"v{len(self.constants)}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name, f"{name}_other"], **attributes))
        return name

    def add_loop(self, state: str, rows: str, *, body: Any) -> str:
        """All new rows of a loop in which `body` maps a state and a row to the next state and a new row."""
        from onnx import helper

        last, name = f"s{len(self.nodes)}", f"v{len(self.constants)}_{len(self.nodes)}"
        self.nodes.append(helper.make_node("Scan", [state, rows], [last, name], body=body, num_scan_inputs=1))
        return name

    def cast(self, value: str, dtype: npt.DTypeLike) -> str:
        """The same numbers in another data type."""
        from onnx import helper

        return self.add("Cast", value, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def embed(self, model: Any, inputs: Sequence[str]) -> list[str]:
        """The outputs of another model, computed from `inputs`."""
        from onnx import compose

        prefix = f"m{len(self.nodes)}_"
        graph = compose.add_prefix(model, prefix).graph
        given = {port.name: value for port, value in zip(graph.input, inputs, strict=True)}
        for node in graph.node:
            node.input[:] = [given.get(name, name) for name in node.input]
        self.nodes += graph.node
        self.constants += graph.initializer
        for opset in model.opset_import:
            self.opsets[opset.domain] = max(self.opsets.get(opset.domain, 0), opset.version)
        return [port.name for port in graph.output]

    def model(self, inputs: Sequence[Port], outputs: Mapping[str, Port]) -> Any:
        """The graph as a checked ONNX model; `outputs` maps names of values to output ports."""
        import onnx
        from onnx import helper

        def info(port: Port) -> Any:
            return helper.make_tensor_value_info(
                port.name, helper.np_dtype_to_tensor_dtype(np.dtype(port.dtype)), port.shape
            )

        ends = [helper.make_node("Identity", [value], [port.name]) for value, port in outputs.items()]
        graph = helper.make_graph(
            [*self.nodes, *ends],
            "cemai_opt",
            [info(port) for port in inputs],
            [info(port) for port in outputs.values()],
            self.constants,
        )
        opsets = [helper.make_opsetid(domain, version) for domain, version in sorted(self.opsets.items())]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="cemai_opt")
        onnx.checker.check_model(model)
        return model
