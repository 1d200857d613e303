"""Standard errors from values of a statistic without each block of the data (delete-a-group jackknife)."""

from __future__ import annotations

import math
from collections.abc import Sequence

T_95 = {
    1: 13.97, 2: 4.53, 3: 3.31, 4: 2.87, 5: 2.65, 6: 2.52, 7: 2.43, 8: 2.37, 9: 2.32, 10: 2.28,
    14: 2.20, 20: 2.13, 30: 2.09, 50: 2.05, 100: 2.025,
}  # fmt: skip
"""Coverage factors by degrees of freedom."""


def jackknife_error(without: Sequence[float]) -> float:
    """Standard error of a statistic, or of the difference of two, from its values without each of n blocks.

    >>> jackknife_error([1.0, 2.0, 3.0])
    1.1547005383792515
    """
    known = [value for value in without if math.isfinite(value)]
    if len(known) < 2:
        return 0.0
    mean = math.fsum(known) / len(known)
    return math.sqrt((len(known) - 1) / len(known) * math.fsum((value - mean) ** 2 for value in known))


def coverage_factor(dof: int) -> float:
    """The number of standard errors of a 95 % confidence interval, given the degrees of freedom (Student's t).

    Values are those of JCGM 100:2008 (GUM), table G.2, for a fraction of 95.45 %: 2 for a normal distribution.

    >>> coverage_factor(1), coverage_factor(12), coverage_factor(1000)
    (13.97, 2.28, 2.025)
    """
    known = max((n for n in T_95 if n <= dof), default=1)
    return T_95[known]


def error_of_difference(a: Sequence[float], b: Sequence[float]) -> float:
    """Standard error of the difference of two scores on the same rows; 0 if one of them has none."""
    return jackknife_error([x - y for x, y in zip(a, b, strict=True)]) if len(a) == len(b) else 0.0
