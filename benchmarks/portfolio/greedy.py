"""Chooses the portfolio: configurations that together dominate most over recorded data sets."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

MIN_ERROR = 0.01
"""An error (1 - score) below this counts as this much."""
LOW_G, HIGH_G = 1e-6, 1e-2
"""Grams of one fit between which hypervolume is measured."""

WEIGHTS = (0.5, 0.5)
"""Weights of hypervolume and best score."""

Pair = tuple[float, float]
"""Score and grams."""


def log_hypervolume(pairs: Sequence[Pair]) -> float:
    """Share of the box (log error from 1 to 0.01, log grams from 1e-6 to 1e-2) that the pairs dominate."""
    share, covered = 0.0, 0.0
    for score, grams in sorted(pairs, key=lambda pair: pair[1]):
        if grams >= HIGH_G:
            break
        height = _height(score)
        if height > covered:
            share += (height - covered) * math.log(HIGH_G / max(grams, LOW_G)) / math.log(HIGH_G / LOW_G)
            covered = height
    return share


def _values(pairs: Sequence[Pair]) -> tuple[float, float]:
    """Hypervolume, and the best score as its share of the logarithmic scale of errors."""
    return log_hypervolume(pairs), max((_height(score) for score, _ in pairs), default=0.0)


def _height(score: float) -> float:
    return math.log(max(1.0 - score, MIN_ERROR)) / math.log(MIN_ERROR) if score > 0.0 else 0.0


def greedy(table: Mapping[str, Mapping[int, Pair]], *, size: int) -> list[int]:
    """Candidates by number, in the order in which they add most to the mean value over the data sets.

    `table[data set][candidate]` is its score and grams there. The value is a mean of the hypervolume and of the
    smallest log error, each divided by what all candidates together reach on the data set.
    """
    full = {name: _values(list(known.values())) for name, known in table.items()}
    numbers = sorted({number for known in table.values() for number in known})
    chosen: list[int] = []

    def value(picked: Sequence[int]) -> float:
        return statistics.fmean(
            sum(
                weight * reached / (possible or 1.0)
                for weight, reached, possible in zip(
                    WEIGHTS, _values([known[n] for n in picked if n in known]), full[name], strict=True
                )
            )
            for name, known in table.items()
        )

    while len(chosen) < min(size, len(numbers)):
        chosen.append(max((n for n in numbers if n not in chosen), key=lambda n: value([*chosen, n])))
    return chosen
