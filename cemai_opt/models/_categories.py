"""Encodes categories as numbers, for models that do not know categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, Task
from cemai_opt.core.onnx_graph import OnnxGraph, Port

FOLDS = 5
ENCODINGS = ("target", "frequency", "one_hot")
MAX_COLUMNS = 256
"""Categories of a column with a number of their own in one-hot encoding: the most frequent ones."""


@dataclass(frozen=True)
class CategoryEncoder:
    """Tables of numbers by category, for the last features of a window: (n_levels + 1, n_numbers) each.

    Row 0 is for a category that did not occur in training.
    """

    tables: tuple[FloatArray, ...]

    def encoded(self, X: FloatArray) -> FloatArray:
        """(n, window, n_features), the last of them codes, -1 if unknown; with the numbers in their place."""
        n_numeric = X.shape[2] - len(self.tables)
        codes = X[:, :, n_numeric:].astype(np.intp) + 1
        numbers = [table[codes[:, :, j]] for j, table in enumerate(self.tables)]
        return np.concatenate([X[:, :, :n_numeric], *numbers], axis=2).astype(X.dtype, copy=False)

    def summed(self, values: FloatArray) -> FloatArray:
        """Values (n, n_encoded, n_outputs) of the numbers, added up to values of the features they encode."""
        n_numeric = values.shape[1] - sum(table.shape[1] for table in self.tables)
        widths = [1] * n_numeric + [table.shape[1] for table in self.tables]
        added: FloatArray = np.add.reduceat(values, np.cumsum([0, *widths[:-1]]), axis=1)
        return added

    def onnx(self, model: Any, *, window: int, n_features: int) -> Any:
        """The graph of a model, with the tables before it."""
        graph, n_numeric = OnnxGraph(), n_features - len(self.tables)
        x = graph.cast("X", np.float32)
        parts = [graph.add("Gather", x, graph.constant(np.arange(n_numeric), np.int64), axis=2)]
        for j, table in enumerate(self.tables):
            code = graph.add("Gather", x, graph.constant(n_numeric + j, np.int64), axis=2)
            row = graph.add("Add", graph.cast(code, np.int64), graph.constant(1, np.int64))
            parts.append(graph.add("Gather", graph.constant(table, np.float32), row, axis=0))
        (output,) = graph.embed(model, [graph.add("Concat", *parts, axis=2)])
        (port,) = model.graph.output
        shape = tuple(d.dim_param or d.dim_value for d in port.type.tensor_type.shape.dim)
        return graph.model(
            [Port("X", np.float32, ("n", window, n_features))], {output: Port(port.name, np.float64, shape)}
        )


def fitted_encoder(
    X: FloatArray, y: FloatArray, *, group: IntArray, task: Task, encoding: str
) -> tuple[CategoryEncoder, FloatArray]:
    """The encoder of training samples, and the encoded samples, each from the samples of other groups.

    `X`: (n, window, n_features), codes last; `y`, `group`: (n,). Target encoding is scikit-learn's, which shrinks the
    mean of a rare category towards that of all (Micci-Barreca (2001), SIGKDD Explorations 3(1)). Encoded by its own
    target, a training row would look easier than any new row: with fewer groups than folds, rows take turns. The other
    encodings do not know the target.
    """
    codes = X[:, -1, X.shape[2] - len(task.n_levels) :].astype(np.intp)
    if encoding != "target":
        table_of = {"frequency": _frequencies, "one_hot": _one_hot}[encoding]
        encoder = CategoryEncoder(tuple(table_of(codes[:, j], n) for j, n in enumerate(task.n_levels)))
        return encoder, encoder.encoded(X)
    tables, scales = _standardised(_target_tables(codes, y, task=task), codes)
    encoder = CategoryEncoder(tuple(tables))
    encoded = encoder.encoded(X)
    fold = _folds(group, len(y), seed=task.seed)
    for number in np.unique(fold):
        inside = fold == number
        own = _target_tables(codes[~inside], y[~inside], task=task)
        others = CategoryEncoder(tuple((t - shift) / factor for t, (shift, factor) in zip(own, scales, strict=True)))
        encoded[inside] = others.encoded(X[inside])
    return encoder, encoded


def _folds(group: IntArray, n_rows: int, *, seed: int) -> IntArray:
    """A fold for every sample: whole groups if there are enough of them."""
    names, number = np.unique(group, return_inverse=True)
    if len(names) < FOLDS:
        names, number = np.arange(n_rows), np.arange(n_rows)
    shuffled: IntArray = np.random.default_rng(seed).permutation(len(names))[number] % min(FOLDS, len(names))
    return shuffled


def _frequencies(codes: IntArray, n_levels: int) -> FloatArray:
    """Share of each category among the samples, over that of a category of average frequency: (n_levels + 1, 1)."""
    share: FloatArray = np.append(0.0, _counts(codes, n_levels) * n_levels / max(len(codes), 1))[:, None]
    return share


def _one_hot(codes: IntArray, n_levels: int) -> FloatArray:
    """A column for each of the most frequent categories: (n_levels + 1, n_columns)."""
    counts = _counts(codes, n_levels)
    kept = np.sort(np.argsort(-counts, kind="stable")[: min(MAX_COLUMNS, np.count_nonzero(counts))])
    table = np.zeros((n_levels + 1, max(len(kept), 1)))
    table[kept + 1, np.arange(len(kept))] = 1.0
    return table


def _counts(codes: IntArray, n_levels: int) -> IntArray:
    """Samples of each category: (n_levels,)."""
    return np.bincount(codes[codes >= 0], minlength=n_levels)


def _target_tables(codes: IntArray, y: FloatArray, *, task: Task) -> list[FloatArray]:
    """Shrunken means of the target by category: (n_levels + 1, n_numbers), a number for each of several classes."""
    from sklearn.preprocessing import TargetEncoder

    classes = np.unique(y) if task.is_classification else np.empty(0)
    kind = "continuous" if not task.is_classification else "binary" if len(classes) == 2 else "multiclass"
    if task.is_classification and len(classes) < 2:
        return [np.zeros((n + 1, 1)) for n in task.n_levels]
    levels = [np.arange(-1, n) for n in task.n_levels]
    encoder = TargetEncoder(target_type=kind, categories=levels).fit(codes, y)
    n_numbers = len(classes) if kind == "multiclass" else 1
    means = np.atleast_1d(encoder.target_mean_)
    tables = []
    for j in range(len(levels)):
        found = encoder.encodings_[j * n_numbers : (j + 1) * n_numbers]
        columns = np.column_stack(found)
        columns[0] = means  # whatever training rows without a category had, a new category is not one of them
        tables.append(columns if kind != "multiclass" else _of_all_classes(columns, classes, n_classes=task.n_classes))
    return tables


def _of_all_classes(columns: FloatArray, classes: FloatArray, *, n_classes: int) -> FloatArray:
    """A column for each class, 0 for those without samples."""
    full = np.zeros((len(columns), n_classes))
    full[:, classes.astype(np.intp)] = columns
    return full


def _standardised(
    tables: Sequence[FloatArray], codes: IntArray
) -> tuple[list[FloatArray], list[tuple[FloatArray, FloatArray]]]:
    """Tables with mean 0 and variance 1 over the samples, as networks want them; and shift and factor of each."""
    scales = []
    for j, table in enumerate(tables):
        of_samples = table[codes[:, j] + 1]
        spread = of_samples.std(axis=0)
        scales.append((of_samples.mean(axis=0), np.where(spread > 0.0, spread, 1.0)))
    return [(t - shift) / factor for t, (shift, factor) in zip(tables, scales, strict=True)], scales
