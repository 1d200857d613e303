"""The elastic net leaves out what it can do without."""

from __future__ import annotations

import numpy as np
import pytest

from cemai_opt.core.batch import FloatArray, Samples, Task
from cemai_opt.models.elastic_net import ElasticNet
from cemai_opt.models.ridge import Ridge

TASK = Task(kind="regression", score="r2")
N_ROWS, N_INPUTS = 120, 300


def rows(seed: int) -> tuple[FloatArray, FloatArray]:
    """Windows of one row (n, 1, n_inputs), and targets that depend on three of more inputs than there are rows."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N_ROWS, 1, N_INPUTS))
    return X, X[:, 0, :3] @ np.array([3.0, -2.0, 1.0]) + 0.3 * rng.standard_normal(N_ROWS)


def predicted(model: ElasticNet | Ridge, y: FloatArray, *, factor: float = 1.0) -> FloatArray:
    """Of rows that the model has not seen."""
    X, _ = rows(0)
    model.fit(Samples(X, factor * y, np.zeros(N_ROWS, int)))
    return model.predict(rows(1)[0]).value / factor


def test_few_inputs_are_found_among_many() -> None:
    """Where a ridge explains half of the variance, all but the noise is explained."""
    _, y = rows(0)
    _, target = rows(1)
    errors = [np.mean((predicted(kind({}, TASK), y) - target) ** 2) for kind in (ElasticNet, Ridge)]
    assert errors[0] < 0.25 < 3.0 < errors[1]


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_the_penalty_does_not_depend_on_the_unit_of_the_target(factor: float) -> None:
    """Grams or tonnes."""
    _, y = rows(0)
    assert predicted(ElasticNet({}, TASK), y, factor=factor) == pytest.approx(
        predicted(ElasticNet({}, TASK), y), abs=1e-3
    )


def test_the_largest_penalty_leaves_out_everything() -> None:
    """A target that never varies needs nothing either."""
    _, y = rows(0)
    assert predicted(ElasticNet({"penalty": 1.0}, TASK), y) == pytest.approx(y.mean())
    assert predicted(ElasticNet({}, TASK), np.full(N_ROWS, 7.0)) == pytest.approx(7.0)
