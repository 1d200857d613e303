"""The score of a constant prediction, which a pipeline must beat to be recommended."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DummyScore:
    """Scores of the best constant prediction (that of scikit-learn's dummy estimators) on the rows of the members."""

    prediction: str
    """What is always predicted: "the mean", "the median", "the last known value", or the name of a class in quotes."""
    validation: float
    """Its score on the rows on which members were validated."""
    test: float | None = None
    """Its score on the test rows; None if that is not a number."""
