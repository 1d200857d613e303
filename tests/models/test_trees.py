"""Trees that lead nowhere are found before compiled code follows them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge

from cemai_opt.models._trees import check_trees

X = np.random.default_rng(0).normal(size=(200, 3))


@pytest.mark.parametrize(
    "estimator", [HistGradientBoostingRegressor(max_iter=3), RandomForestRegressor(n_estimators=3), Ridge()]
)
def test_fitted_trees_are_whole(estimator: object) -> None:
    """So are models without trees."""
    check_trees(estimator.fit(X, X[:, 0]))  # type: ignore[attr-defined]  # scikit-learn has no type of all estimators


@pytest.mark.parametrize(
    ("left", "feature", "says"), [(0, 1, "child"), (3, 1, "child"), (-2, 1, "child"), (1, 3, "input"), (1, -1, "input")]
)
def test_a_node_that_leads_astray_is_found(left: int, feature: int, says: str) -> None:
    """Back, out of the nodes, or to an input that there is not."""
    tree = SimpleNamespace(
        children_left=np.array([left, -1, -1]),
        children_right=np.array([2, -1, -1]),
        feature=np.array([feature, -2, -2]),
    )
    with pytest.raises(ValueError, match=says):
        check_trees(SimpleNamespace(n_features_in_=3, tree_=tree))
