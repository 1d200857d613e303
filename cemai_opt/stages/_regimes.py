"""Operating regimes: rows are grouped by k-means, and every variable is standardised inside its regime."""

from __future__ import annotations

import numpy as np

from cemai_opt.core.batch import FittedState, FloatArray, IntArray
from cemai_opt.core.onnx_graph import OnnxGraph

KMEANS_ROWS = 2000
"""Regimes are found in at most this many training rows, evenly spaced."""
RESTARTS = 4


def fitted_regimes(X: FloatArray, columns: IntArray, *, n_regimes: int, seed: int) -> FittedState:
    """Regimes of training rows, and mean and spread of every variable in each.

    `X`: (n_rows, n_features); `columns` are the numbers of the variables by which regimes are told apart. Returns
    `columns`, `unit` (n_columns,), `centers` (n_regimes, n_columns) in these units, `mean` and `spread` (n_regimes,
    n_features).
    """
    from sklearn.cluster import KMeans

    unit = _positive(X[:, columns].std(axis=0, dtype=np.float64))
    scaled = X[:, columns] / unit
    sample = scaled[:: -(-len(X) // KMEANS_ROWS)]
    n_found = min(n_regimes, len(np.unique(sample, axis=0)))
    centers = KMeans(n_found, n_init=RESTARTS, random_state=seed).fit(sample).cluster_centers_
    regime = nearest(scaled, centers)
    overall = X.std(axis=0, dtype=np.float64)
    mean, spread = np.empty((n_found, X.shape[1])), np.empty((n_found, X.shape[1]))
    for number in range(n_found):
        rows = X[regime == number]
        mean[number] = rows.mean(axis=0, dtype=np.float64) if len(rows) else X.mean(axis=0, dtype=np.float64)
        own = rows.std(axis=0, dtype=np.float64) if len(rows) > 1 else overall
        spread[number] = _positive(np.where(own > 1e-9 * np.abs(mean[number]), own, overall))
    return {"columns": columns, "unit": unit, "centers": centers, "mean": mean, "spread": spread}


def standardised(X: FloatArray, state: FittedState) -> FloatArray:
    """Rows relative to the mean and spread of their regime."""
    regime = nearest(X[:, state["columns"].astype(np.int64)] / state["unit"], state["centers"])
    centered: FloatArray = X - state["mean"][regime]
    centered /= state["spread"][regime]
    return centered.astype(X.dtype, copy=False)


def nearest(X: FloatArray, centers: FloatArray) -> IntArray:
    """The nearest center of each row, independent of the other rows: (n_rows,)."""
    distances = np.empty((len(centers), len(X)))
    for number, center in enumerate(centers):
        distances[number] = ((X - center) ** 2).sum(axis=1)
    closest: IntArray = distances.argmin(axis=0)
    return closest


def standardised_onnx(graph: OnnxGraph, rows: str, *, state: FittedState) -> str:
    """The same for ONNX: (t, n_features)."""
    used = graph.add("Gather", rows, graph.constant(state["columns"], np.int64), axis=1)
    scaled = graph.add("Div", used, graph.constant(state["unit"], np.float64))
    apart = graph.add(
        "Sub", graph.add("Unsqueeze", scaled, graph.constant([1], np.int64)), graph.constant(state["centers"])
    )
    distances = graph.add("ReduceSum", graph.add("Mul", apart, apart), graph.constant([2], np.int64), keepdims=0)
    regime = graph.add("ArgMin", graph.cast(distances, np.float32), axis=1, keepdims=0)
    mean, spread = (graph.add("Gather", graph.constant(state[key]), regime, axis=0) for key in ("mean", "spread"))
    return graph.add("Div", graph.add("Sub", rows, mean), spread)


def _positive(spread: FloatArray) -> FloatArray:
    """Spreads, 1 in place of 0."""
    return np.where(spread > 0.0, spread, 1.0)
