"""Which units (rows or groups) are held out: exactly those of scikit-learn's splitters with the same seed.

`sklearn.model_selection` takes a second of CPU time to import, in processes that need scikit-learn for nothing else.
"""

from __future__ import annotations

import math

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray


def shuffled_folds(units: IntArray, n_folds: int, *, seed: int) -> list[IntArray]:
    """The units of each fold, as `KFold` and `GroupKFold` with `shuffle`. ValueError with fewer units than folds.

    >>> [fold.tolist() for fold in shuffled_folds(np.array([4, 4, 7, 9, 9, 5]), 2, seed=0)]
    [[7, 9], [5, 4]]
    """
    shuffled = _shuffled(units, seed)
    if len(shuffled) < n_folds:
        raise ValueError(f"{n_folds} folds of {len(shuffled)} groups or rows")
    return list(np.array_split(shuffled, n_folds))


def shuffled_holdout(units: IntArray, share: float, *, seed: int) -> IntArray:
    """The units of a holdout, as `ShuffleSplit` and `GroupShuffleSplit`. ValueError if none would be left."""
    shuffled = _shuffled(units, seed)
    n_held_out = math.ceil(share * len(shuffled))
    if n_held_out >= len(shuffled):
        raise ValueError(f"a holdout of {n_held_out} of {len(shuffled)}")
    return shuffled[:n_held_out]


def stratified_folds(group: IntArray, y: FloatArray, *, n_folds: int, seed: int) -> list[IntArray]:
    """The groups of each fold, with about the same share of each class, as `StratifiedGroupKFold` with `shuffle`.

    Groups with the most uneven classes come first; each joins the fold where shares of classes differ least afterwards.
    ValueError if no class has as many rows as there are folds.
    """
    names, number = np.unique(group, return_inverse=True)
    counts = np.zeros((len(names), len(np.unique(y))))
    np.add.at(counts, (number, np.unique(y, return_inverse=True)[1]), 1.0)
    if (counts.sum(axis=0) < n_folds).all():
        raise ValueError(f"{n_folds} folds, and no class has as many rows")
    order = np.arange(len(names))
    np.random.RandomState(seed).shuffle(order)  # scikit-learn's
    order = order[np.argsort(-np.std(counts[order], axis=1), kind="mergesort")]
    folds, in_folds = [list[int]() for _ in range(n_folds)], np.zeros((n_folds, counts.shape[1]))
    for i in order.tolist():
        spreads = [
            np.std((in_folds + np.eye(n_folds)[[k]].T * counts[i]) / counts.sum(axis=0), axis=0).mean()
            for k in range(n_folds)
        ]
        best = 0
        for k in range(1, n_folds):
            is_tie = np.isclose(spreads[k], spreads[best]) and in_folds[k].sum() < in_folds[best].sum()
            best = k if spreads[k] < spreads[best] or is_tie else best
        in_folds[best] += counts[i]
        folds[best].append(i)
    return [names[np.sort(fold)] for fold in folds]


def expanding(n: int, n_folds: int) -> list[tuple[int, int]]:
    """Where each fold's evaluation rows begin and end, as `TimeSeriesSplit`; all rows before them are for training.

    >>> expanding(10, 3)
    [(4, 6), (6, 8), (8, 10)]
    """
    size = n // (n_folds + 1)
    if size == 0:
        raise ValueError(f"{n_folds} folds of {n} rows")
    return [(end - size, end) for end in range(n - (n_folds - 1) * size, n + 1, size)]


def _shuffled(units: IntArray, seed: int) -> IntArray:
    shuffled: IntArray = np.random.RandomState(seed).permutation(np.unique(units))  # scikit-learn's
    return shuffled
