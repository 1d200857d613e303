"""Standard errors from statistics without each block."""

from __future__ import annotations

import math
import statistics

import pytest

from cemai_opt.core.jackknife import error_of_difference, jackknife_error


def test_of_a_mean_it_is_the_standard_error_of_the_mean() -> None:
    """Exactly, as the textbooks say."""
    values = [3.0, 1.0, 4.0, 1.0, 5.0]
    without = [statistics.mean(values[:i] + values[i + 1 :]) for i in range(len(values))]
    assert jackknife_error(without) == pytest.approx(statistics.stdev(values) / math.sqrt(len(values)))


def test_what_has_no_score_without_a_block_is_left_out() -> None:
    """Without two blocks that have one there is no error."""
    assert jackknife_error([1.0, math.nan, 3.0]) == jackknife_error([1.0, 3.0])
    assert jackknife_error([1.0, math.nan]) == jackknife_error([]) == 0.0


def test_a_difference_is_paired() -> None:
    """Two statistics that vary alike differ with certainty."""
    a = [0.5, 0.7, 0.9]
    assert error_of_difference(a, [x - 0.1 for x in a]) == pytest.approx(0.0, abs=1e-12)
    assert error_of_difference(a, [0.9, 0.7, 0.5]) == pytest.approx(2 * jackknife_error(a))
    assert error_of_difference(a, []) == 0.0
