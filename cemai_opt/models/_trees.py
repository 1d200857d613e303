"""Trees of scikit-learn as they are stored: their nodes are checked, because compiled code follows them unchecked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from cemai_opt.core.batch import IntArray

LEAF = -1
"""Child of a node that has none, in `sklearn.tree`."""


def check_trees(estimator: Any) -> None:
    """ValueError if a tree of a fitted estimator, if it has any, leads in a circle or out of its nodes or inputs."""
    n_features = int(getattr(estimator, "n_features_in_", 0))
    for left, right, feature in _trees_of(estimator):
        inner = left != LEAF
        nodes = np.arange(len(left))
        for child in (left, right):
            if (child[inner] <= nodes[inner]).any() or (child[inner] >= len(nodes)).any():
                raise ValueError("a tree is damaged: a node has an impossible child")
        if (feature[inner] < 0).any() or (feature[inner] >= n_features).any():
            raise ValueError("a tree is damaged: a node splits by an impossible input")


def _trees_of(estimator: Any) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
    """Left and right child and input of the nodes of each tree: (n_nodes,), left `LEAF` where a node is a leaf."""
    for iteration in getattr(estimator, "_predictors", ()):  # histogram gradient boosting
        for predictor in iteration:
            nodes = predictor.nodes
            is_leaf = nodes["is_leaf"].astype(bool)
            yield np.where(is_leaf, LEAF, nodes["left"].astype(np.int64)), nodes["right"], nodes["feature_idx"]
    for part in getattr(estimator, "estimators_", [estimator]):
        if (tree := getattr(part, "tree_", None)) is not None:
            yield tree.children_left, tree.children_right, tree.feature
