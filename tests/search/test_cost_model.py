"""What a pipeline will probably cost."""

from __future__ import annotations

import numpy as np
import pytest

from cemai_opt.search.cost_model import MIN_KNOWN, CostModel
from cemai_opt.search.prior import KnownCost
from cemai_opt.testing.searches import space_of


def test_costs_are_estimated_from_windows_rounds_and_families() -> None:
    """Ten times the trees, about ten times the joules, also in a family of which one pipeline is known."""
    space = space_of()
    model = CostModel(space)
    assert model.low_j({"train.model": "ridge"}) == 0.0
    small, large = ({"train.model": "random_forest", "random_forest.n_estimators": n} for n in (10, 100))
    model.update(small, 1.0)
    assert model.low_j(large) == pytest.approx(10.0)
    assert model.low_j({**small, "combine.fraction": 0.1}) == pytest.approx(0.1)
    assert model.low_j({"train.model": "xgboost", "xgboost.n_estimators": 10}) > 1.0


def test_estimates_follow_what_was_measured() -> None:
    """If costs grow with the square root of the trees, so do the estimates once enough pipelines are known."""
    model = CostModel(space_of())
    trees = np.geomspace(10, 300, 3 * MIN_KNOWN).astype(int)
    for n in trees:
        model.update({"train.model": "random_forest", "random_forest.n_estimators": int(n)}, float(n) ** 0.5)
    few, many = (model.low_j({"train.model": "random_forest", "random_forest.n_estimators": n}) for n in (18, 288))
    assert many / few == pytest.approx(4.0, rel=0.2)  # 16 by the prior alone


def test_earlier_runs_say_what_is_dearer_than_what() -> None:
    """On data where all costs a tenth, a forest costs as much more than a ridge as it did elsewhere."""
    space = space_of()
    forests = [{"train.model": "random_forest", "random_forest.n_estimators": n} for n in (10, 20, 40)]
    earlier = [
        *(KnownCost("a", space.active({"train.model": "ridge"}), energy_j) for energy_j in (1.0, 1.0)),
        *(KnownCost("a", space.active(forest), 5.0 * i) for i, forest in zip((1, 2, 4), forests, strict=True)),
    ]
    informed, plain = CostModel(space, earlier), CostModel(space)
    assert informed.low_j(forests[0]) == 0.0
    for model in (informed, plain):
        model.update({"train.model": "ridge"}, 0.1)
    assert informed.low_j(forests[0]) == pytest.approx(0.5)
    assert plain.low_j(forests[0]) != pytest.approx(0.5)
    xgboost = {"train.model": "xgboost", "xgboost.n_estimators": 10}
    assert informed.low_j(xgboost) == pytest.approx(plain.low_j(xgboost))


def test_wide_windows_cost_ridges_more_than_their_values() -> None:
    """Each column is multiplied with all others: of fifty inputs, not of one; a forest looks at each on its own."""
    space = space_of(("ridge", "spline_ridge", "random_forest"))

    def ratio(model: str, *, n_inputs: int | None, **params: int) -> float:
        costs = CostModel(space, n_inputs=n_inputs)
        plain = {"train.model": model, **{f"{model}.{name}": value for name, value in params.items()}}
        costs.update(plain, 1.0)
        return costs.low_j({**plain, "sequentialize.window_rows": 60})

    assert ratio("random_forest", n_inputs=50, n_estimators=10) == pytest.approx(60.0)
    assert ratio("ridge", n_inputs=None) == pytest.approx(60.0)
    assert ratio("ridge", n_inputs=1) == pytest.approx(60.0, rel=0.1)
    assert ratio("ridge", n_inputs=50) == pytest.approx(60.0 * 4.0 / 1.05)
    assert ratio("spline_ridge", n_inputs=50, n_knots=9) == pytest.approx(60.0 * 25.0 / 1.4)


def test_rows_that_are_left_out_are_no_columns_less() -> None:
    """Every tenth window costs a tenth."""
    costs, wide = CostModel(space_of(), n_inputs=50), {"train.model": "ridge", "sequentialize.window_rows": 60}
    costs.update(wide, 1.0)
    assert costs.low_j({**wide, "sequentialize.stride": 10}) == pytest.approx(0.1)
    assert costs.low_j({**wide, "combine.fraction": 0.1}) == pytest.approx(0.1)
