"""Operations shared by the ONNX graphs of several stages; a value is `(t, n)`, rows of one group in time order."""

from __future__ import annotations

import numpy as np

from cemai_opt.core.onnx_graph import OnnxGraph
from cemai_opt.stages._spectrum import amplitude_of, band_frequencies


def row_numbers(graph: OnnxGraph, rows: str) -> str:
    """0, 1, ... for each row of `rows`: (t,)."""
    ends = graph.add("Shape", rows, start=0, end=1)
    length = graph.add("Squeeze", ends, graph.constant([0], np.int64))
    return graph.add("Range", graph.constant(0, np.int64), length, graph.constant(1, np.int64))


def past_numbers(graph: OnnxGraph, rows: str, *, window: int) -> str:
    """Numbers of the last `window` rows up to each row, negative before the first row: (t, window)."""
    numbers = graph.add("Unsqueeze", row_numbers(graph, rows), graph.constant([1], np.int64))
    return graph.add("Add", numbers, graph.constant(np.arange(1 - window, 1), np.int64))


def taken(graph: OnnxGraph, rows: str, *, numbers: str) -> str:
    """Rows by their numbers; the first row for negative numbers: (*numbers, n)."""
    return graph.add("Gather", rows, graph.add("Max", numbers, graph.constant(0, np.int64)), axis=0)


def rolling(graph: OnnxGraph, rows: str, *, window: int, statistics: tuple[str, ...]) -> list[str]:
    """Statistics of the last `window` rows, computed from all windows at once: (t, window, n) values."""
    numbers = past_numbers(graph, rows, window=window)
    axis = graph.constant([1], np.int64)
    is_there = graph.add("GreaterOrEqual", numbers, graph.constant(0, np.int64))
    is_there = graph.add("Unsqueeze", is_there, graph.constant([2], np.int64))
    values = taken(graph, rows, numbers=numbers)

    def over(operator: str, what: str, *, elsewhere: float) -> str:
        kept = graph.add("Where", is_there, what, graph.constant(elsewhere, np.float64))
        return graph.add(operator, kept, axis, keepdims=1)

    count = graph.add("ReduceSum", graph.cast(is_there, np.float64), axis, keepdims=1)
    total = over("ReduceSum", values, elsewhere=0.0)
    done = {"sum": total, "mean": graph.add("Div", total, count)}
    if {"std", "var"} & set(statistics):
        off = graph.add("Sub", values, done["mean"])
        done["var"] = graph.add("Div", over("ReduceSum", graph.add("Mul", off, off), elsewhere=0.0), count)
        done["std"] = graph.add("Sqrt", done["var"])
    if "range" in statistics:
        done["min"], done["max"] = (
            over("ReduceMin", values, elsewhere=np.inf),
            over("ReduceMax", values, elsewhere=-np.inf),
        )
        done["range"] = graph.add("Sub", done["max"], done["min"])
    return [graph.add("Squeeze", done[name], axis) for name in statistics]


def lagged(graph: OnnxGraph, rows: str, *, step: int) -> str:
    """The values `step` rows earlier; those of the first row where there are none."""
    numbers = graph.add("Sub", row_numbers(graph, rows), graph.constant(step, np.int64))
    return taken(graph, rows, numbers=numbers)


def trend(graph: OnnxGraph, rows: str, *, kinds: tuple[str, ...], difference_rows: int) -> list[str]:
    """Backward differences, and the angle of the slope with its sine and cosine."""
    if not kinds:
        return []
    step = {"gradient": 1, "difference": difference_rows}.get(kinds[0], 2)
    change = graph.add("Sub", rows, lagged(graph, rows, step=step))
    if kinds in (("gradient",), ("difference",)):
        return [change]
    half = graph.cast(graph.add("Div", change, graph.constant(2.0, np.float64)), np.float32)
    slope = graph.cast(graph.add("Atan", half), np.float64)  # runtimes implement Atan in single precision only
    made = {"slope": slope, "slope_sin": graph.add("Sin", slope), "slope_cos": graph.add("Cos", slope)}
    return [made[kind] for kind in kinds]


def exponential_mean(graph: OnnxGraph, rows: str, *, alpha: float) -> str:
    """Exponentially weighted mean: a loop whose state is the mean so far, at first the first row."""
    from onnx import TensorProto, helper, numpy_helper

    ports = {
        name: helper.make_tensor_value_info(name, TensorProto.DOUBLE, None)
        for name in ("mean", "row", "mean_now", "smoothed")
    }
    body = helper.make_graph(
        [
            helper.make_node("Mul", ["mean", "rest"], ["old"]),
            helper.make_node("Mul", ["row", "alpha"], ["new"]),
            helper.make_node("Add", ["old", "new"], ["mean_now"]),
            helper.make_node("Identity", ["mean_now"], ["smoothed"]),
        ],
        "exponential_mean",
        [ports["mean"], ports["row"]],
        [ports["mean_now"], ports["smoothed"]],
        [
            numpy_helper.from_array(np.asarray(number), name)
            for name, number in (("alpha", alpha), ("rest", 1.0 - alpha))
        ],
    )
    first = graph.add("Gather", rows, graph.constant(0, np.int64), axis=0)
    return graph.add_loop(first, rows, body=body)


def band_amplitudes(graph: OnnxGraph, rows: str, *, window: int) -> list[str]:
    """Root of the mean power of each band over the last `window` rows, computed from all windows at once."""
    bands = [band for band in band_frequencies(window) if band]
    cycles = np.outer(np.arange(window), np.concatenate(bands)) / window
    waves = np.hstack([np.cos(2.0 * np.pi * cycles), np.sin(2.0 * np.pi * cycles)])
    member = np.repeat(np.eye(len(bands)), [len(band) for band in bands], axis=0)
    factors = np.array([amplitude_of(band, window=window) for band in bands])
    past = taken(graph, rows, numbers=past_numbers(graph, rows, window=window))
    change = graph.add("Sub", past, graph.add("Gather", past, graph.constant([0], np.int64), axis=1))
    sums = graph.add("MatMul", graph.add("Transpose", change, perm=[0, 2, 1]), graph.constant(waves))
    power = graph.add("MatMul", graph.add("Mul", sums, sums), graph.constant(np.vstack([member, member])))
    amplitudes = graph.add("Mul", graph.add("Sqrt", power), graph.constant(factors))
    return [graph.add("Gather", amplitudes, graph.constant(i, np.int64), axis=2) for i in range(len(bands))]


def start_mean(graph: OnnxGraph, rows: str, *, n_rows: int) -> str:
    """Mean of the first `n_rows` rows, or of those up to each row."""
    numbers = graph.add("Unsqueeze", row_numbers(graph, rows), graph.constant([1], np.int64))
    is_start = graph.add("Less", numbers, graph.constant(n_rows, np.int64))
    kept = graph.add("Where", is_start, rows, graph.constant(0.0, np.float64))
    total = graph.add("CumSum", kept, graph.constant(0, np.int64))
    count = graph.add("Min", graph.add("Add", numbers, graph.constant(1, np.int64)), graph.constant(n_rows))
    return graph.add("Div", total, graph.cast(count, np.float64))
