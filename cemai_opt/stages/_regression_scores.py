"""Scores of predicted numbers: errors in the target's unit, and their skills, which a search maximises."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, last_rows
from cemai_opt.core.scores import error_of, skill

MAX_EXPONENT = 500.0
"""Predictions that are absurdly late have a finite NASA score, too."""


def regression_scores(y: FloatArray, value: FloatArray, *, group: IntArray | None) -> dict[str, float]:
    """R2, errors and skills; those of the last row of each group if there are several groups.

    `y`, `value`, `group`: (n_rows,), rows of a group contiguous and in time order. The skill of an error is 1 - error /
    error of predicting the mean of `y` (Murphy (1988), Monthly Weather Review 116): 1 is perfect, 0 is that constant.
    """
    from sklearn import metrics

    constant = np.full_like(y, y.mean())
    mse = float(metrics.mean_squared_error(y, value))
    scores = {"r2": float(metrics.r2_score(y, value)), "mse": mse}
    errors, constant_errors = (_errors(y, made, group=group) for made in (value, constant))
    scores |= errors
    scores |= {skill(name): _skill(error, constant_errors[name]) for name, error in errors.items()}
    if group is not None and (last := last_rows(group)).sum() > 1:
        scores["nasa_score"] = nasa_score(y[last], value[last])
    return scores


def regression_score(y: FloatArray, value: FloatArray, *, name: str, group: IntArray | None) -> float:
    """One of the `regression_scores` that a search maximises, "r2" or a skill, without computing the others."""
    from sklearn import metrics

    if name == "r2":
        return float(metrics.r2_score(y, value))
    error = error_of(name)
    assert error is not None, "every other score is the skill of an error"
    constant = np.full_like(y, y.mean())
    own, of_constant = (_error_functions(y, made, group=group)[error]() for made in (value, constant))
    return _skill(own, of_constant)


def _errors(y: FloatArray, value: FloatArray, *, group: IntArray | None) -> dict[str, float]:
    return {name: error() for name, error in _error_functions(y, value, group=group).items()}


def _error_functions(y: FloatArray, value: FloatArray, *, group: IntArray | None) -> dict[str, Callable[[], float]]:
    """What computes each error; that of last rows if there are several groups."""
    from sklearn import metrics

    errors: dict[str, Callable[[], float]] = {
        "rmse": lambda: float(np.sqrt(metrics.mean_squared_error(y, value))),
        "mae": lambda: float(metrics.mean_absolute_error(y, value)),
        "mape": lambda: float(metrics.mean_absolute_percentage_error(y, value)),
    }
    if group is not None and (last := last_rows(group)).sum() > 1:
        errors["rmse_last"] = lambda: float(np.sqrt(metrics.mean_squared_error(y[last], value[last])))
    return errors


def _skill(error: float, of_constant: float) -> float:
    """Where all targets are alike, 1 if there is no error, else 0, as scikit-learn defines R2 there."""
    return 1.0 - error / of_constant if of_constant > 0.0 else float(error == 0.0)


def nasa_score(y: FloatArray, value: FloatArray) -> float:
    """The asymmetric score of remaining useful life: late predictions cost more than early ones; 0 is perfect.

    Saxena, Goebel, Simon and Eklund (2008), Damage Propagation Modeling for Aircraft Engine Run-to-Failure Simulation.
    """
    late = value - y
    return float(np.expm1(np.minimum(np.where(late < 0.0, -late / 13.0, late / 10.0), MAX_EXPONENT)).sum())
