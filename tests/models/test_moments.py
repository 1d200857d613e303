"""Moments of rows, which add up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.linear_model import Ridge

from cemai_opt.models._moments import Moments


def test_moments_of_parts_are_those_of_the_whole_and_give_the_library_its_solution(tmp_path: Path) -> None:
    """Also with a large offset, and after a way through a file."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 4)) + 1e4
    y = X @ [[1.0], [2.0], [-1.0], [0.5]] + rng.normal(size=(500, 1))
    parts = Moments.of(X[:120], y[:120]).merged(Moments.of(X[120:], y[120:]))
    parts.write(tmp_path)
    coefficients, intercept = Moments.read(tmp_path / "moments.safetensors").ridge(0.1)
    fitted = Ridge(alpha=0.1).fit(X, y[:, 0])
    assert np.allclose(coefficients[0], fitted.coef_, rtol=1e-9)
    assert np.allclose(X @ coefficients[0] + intercept[0], fitted.predict(X), atol=1e-6)
