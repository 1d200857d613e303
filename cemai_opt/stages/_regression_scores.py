"""Scores of predicted numbers: errors in the target's unit, and their skills, which a search maximises.

They have scikit-learn's definitions. Its functions check their input for a millisecond, and a search asks for thousands
of scores in a process that needs scikit-learn for nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray, last_rows
from cemai_opt.core.scores import error_of, skill

EPSILON = float(np.finfo(np.float64).eps)
MAX_EXPONENT = 500.0
"""Predictions that are absurdly late have a finite NASA score, too."""


def regression_scores(y: FloatArray, value: FloatArray, *, group: IntArray | None) -> dict[str, float]:
    """R2, errors and skills; those of the last row of each group if there are several groups.

    `y`, `value`, `group`: (n_rows,), rows of a group contiguous and in time order. The skill of an error is 1 - error /
    error of predicting the mean of `y` (Murphy (1988), Monthly Weather Review 116): 1 is perfect, 0 is that constant.
    """
    constant = np.full_like(y, y.mean())
    scores = {"r2": _r2(y, value), "mse": _mse(y, value)}
    errors, constant_errors = (_errors(y, made, group=group) for made in (value, constant))
    scores |= errors
    scores |= {skill(name): _skill(error, constant_errors[name]) for name, error in errors.items()}
    if group is not None and (last := last_rows(group)).sum() > 1:
        scores["nasa_score"] = nasa_score(y[last], value[last])
    return scores


def regression_score(y: FloatArray, value: FloatArray, *, name: str, group: IntArray | None) -> float:
    """One of the `regression_scores` that a search maximises, "r2" or a skill, without computing the others."""
    if name == "r2":
        return _r2(y, value)
    error = error_of(name)
    assert error is not None, "every other score is the skill of an error"
    constant = np.full_like(y, y.mean())
    own, of_constant = (_error_functions(y, made, group=group)[error]() for made in (value, constant))
    return _skill(own, of_constant)


def _errors(y: FloatArray, value: FloatArray, *, group: IntArray | None) -> dict[str, float]:
    return {name: error() for name, error in _error_functions(y, value, group=group).items()}


def _error_functions(y: FloatArray, value: FloatArray, *, group: IntArray | None) -> dict[str, Callable[[], float]]:
    """What computes each error; that of last rows if there are several groups."""
    errors: dict[str, Callable[[], float]] = {
        "rmse": lambda: math.sqrt(_mse(y, value)),
        "mae": lambda: float(np.abs(y - value).mean()),
        "mape": lambda: float((np.abs(y - value) / np.maximum(np.abs(y), EPSILON)).mean()),
    }
    if group is not None and (last := last_rows(group)).sum() > 1:
        errors["rmse_last"] = lambda: math.sqrt(_mse(y[last], value[last]))
    return errors


def _mse(y: FloatArray, value: FloatArray) -> float:
    return float(np.square(y - value).mean())


def _r2(y: FloatArray, value: FloatArray) -> float:
    """Where all targets are alike, 1 if there is no error, else 0; not a number for a single row."""
    if len(y) < 2:
        return math.nan
    missed, spread = float(np.square(y - value).sum()), float(np.square(y - y.mean()).sum())
    return 1.0 - missed / spread if spread > 0.0 else float(missed == 0.0)


def _skill(error: float, of_constant: float) -> float:
    """Where all targets are alike, 1 if there is no error, else 0, as scikit-learn defines R2 there."""
    return 1.0 - error / of_constant if of_constant > 0.0 else float(error == 0.0)


def nasa_score(y: FloatArray, value: FloatArray) -> float:
    """The asymmetric score of remaining useful life: late predictions cost more than early ones; 0 is perfect.

    Saxena, Goebel, Simon and Eklund (2008), Damage Propagation Modeling for Aircraft Engine Run-to-Failure Simulation.
    """
    late = value - y
    return float(np.expm1(np.minimum(np.where(late < 0.0, -late / 13.0, late / 10.0), MAX_EXPONENT)).sum())
