"""Names of the scores by which a search may be judged; of an error, the search maximises its skill."""

from __future__ import annotations

from typing import Literal, get_args

Error = Literal["rmse", "mae", "mape", "rmse_last"]
"""`rmse_last` is that of the last row of each group, as usual for remaining useful life."""
Score = Literal[
    "r2",
    "rmse",
    "mae",
    "mape",
    "rmse_last",
    "f1",
    "f1_macro",
    "balanced_accuracy",
    "average_precision",
]
ERRORS: tuple[str, ...] = get_args(Error)
REGRESSION_SCORES = ("r2", *ERRORS)


SKILL = "_skill"


def skill(error: str) -> str:
    """Name of the skill of an error, 1 - error / error of predicting the mean: like R2, 1 at best and without unit."""
    return f"{error}{SKILL}"


def maximised(score: str) -> str:
    """Name of the metric that a search maximises.

    >>> maximised("r2"), maximised("rmse")
    ('r2', 'rmse_skill')
    """
    return skill(score) if score in ERRORS else score


def error_of(metric: str) -> str | None:
    """The error whose skill a metric is; None for all others."""
    return metric.removesuffix(SKILL) if metric.endswith(SKILL) else None
