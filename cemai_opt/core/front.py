"""The Pareto front of (score up, grams down): members, hypervolume, knee."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

TIE_FACTOR = 2.0
"""Two costs that differ by less than this many standard uncertainties are a tie (confidence about 95 %)."""
MIN_CARBON_G = 1e-12
"""Lower limit of grams on the logarithmic axis: a picogram, 0.01 microjoule at the world mean."""
MIN_ERROR = 1e-3
"""Lower limit of the error (1 - score) on its logarithmic axis: all scores from 0.999 on count as equally good."""

HALVING = math.log(2.0) / -math.log(MIN_ERROR)
"""Half the error, on the scale of merit."""


@dataclass(frozen=True)
class Point:
    """One finished trial in the plane of the two objectives."""

    trial: int
    score: float
    carbon_g: float

    @cached_property
    def log_carbon(self) -> float:
        """Decimal logarithm of the grams."""
        return math.log10(max(self.carbon_g, MIN_CARBON_G))

    @cached_property
    def merit(self) -> float:
        """How small the error (1 - score) is, on a logarithmic scale from 0 (a constant prediction) to 1 (0.001).

        Each halving of the error counts alike, as does each halving of the grams.

        >>> [round(Point(0, score, 1.0).merit, 2) for score in (-3.0, 0.0, 0.5, 0.75, 0.9, 1.0)]
        [0.0, 0.0, 0.1, 0.2, 0.33, 1.0]
        """
        return abs(math.log(min(max(1.0 - self.score, MIN_ERROR), 1.0)) / math.log(MIN_ERROR))


def dominates(a: Point, b: Point) -> bool:
    """Whether `a` is at least as good as `b` in both objectives, and better in one.

    >>> dominates(Point(0, 0.9, 1.0), Point(1, 0.8, 2.0)), dominates(Point(0, 0.9, 2.0), Point(1, 0.8, 1.0))
    (True, False)
    """
    return a.score >= b.score and a.carbon_g <= b.carbon_g and (a.score > b.score or a.carbon_g < b.carbon_g)


@dataclass(frozen=True)
class Constraints:
    """The user's constraints on a pipeline."""

    max_carbon_g: float = math.inf
    min_score: float = -math.inf

    def violation(self, point: Point) -> float:
        """The constraint violation of a point, in decades of grams plus score; 0 for a feasible point.

        >>> Constraints(min_score=0.5).violation(Point(0, 0.25, 1.0))
        0.25
        """
        too_expensive = math.log10(point.carbon_g / self.max_carbon_g) if point.carbon_g > self.max_carbon_g else 0.0
        return too_expensive + max(0.0, self.min_score - point.score)


@dataclass(frozen=True)
class ParetoFront:
    """Non-dominated points, greenest first. Of points equal in both objectives, the earliest trial is kept."""

    members: tuple[Point, ...]

    @staticmethod
    def of(points: Iterable[Point]) -> ParetoFront:
        """The front of points in any order.

        >>> [p.trial for p in ParetoFront.of([Point(0, 0.9, 2.0), Point(1, 0.5, 3.0), Point(2, 0.7, 1.0)])]
        [2, 0]
        """
        kept: list[Point] = []
        for point in sorted(points, key=lambda p: (p.carbon_g, -p.score, p.trial)):
            if not kept or point.score > kept[-1].score:
                kept.append(point)
        return ParetoFront(tuple(kept))

    def __iter__(self) -> Iterator[Point]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)

    def ties(self, uncertainty_g: Mapping[int, float]) -> dict[int, list[int]]:
        """For each member, those whose grams differ by less than two standard uncertainties of the difference.

        >>> ParetoFront.of([Point(0, 0.1, 1.0), Point(1, 0.2, 1.1), Point(2, 0.9, 9.0)]).ties({0: 0.1, 1: 0.1, 2: 0.1})
        {0: [1], 1: [0], 2: []}
        """

        def is_tie(a: Point, b: Point) -> bool:
            combined = math.hypot(uncertainty_g[a.trial], uncertainty_g[b.trial])
            return a != b and abs(a.carbon_g - b.carbon_g) < TIE_FACTOR * combined

        return {a.trial: [b.trial for b in self if is_tie(a, b)] for a in self}

    def within(self, tolerance: float) -> Point:
        """The member with the fewest grams among those whose score is at most `tolerance` below the best.

        >>> ParetoFront.of([Point(0, 0.7, 1.0), Point(1, 0.895, 2.0), Point(2, 0.9, 9.0)]).within(0.01).trial
        1
        """
        return next((p for p in self.members if p.score >= self.best.score - tolerance), self.best)

    @property
    def best(self) -> Point:
        """The member with the highest score."""
        return self.members[-1]

    @property
    def greenest(self) -> Point:
        """The member with the fewest grams among those better than a constant prediction (score above 0)."""
        return self.useful.members[0]

    @property
    def useful(self) -> ParetoFront:
        """Members with a score above 0, the score of a constant prediction; all members if there are none."""
        return ParetoFront(tuple(p for p in self.members if p.score > 0.0) or self.members)

    @property
    def knee(self) -> Point:
        """The useful member farthest above the straight line between the two ends of the front.

        The logarithms of error and grams are scaled to 0..1 over the useful members, or over a halving of the error and
        ten times the grams where the members differ by less; the knee maximises the decrease of the one minus the
        increase of the other, and on a tie it has fewer grams (Branke et al. (2004), PPSN VIII, describe this family of
        definitions).

        >>> ParetoFront.of([Point(0, 0.1, 1.0), Point(1, 0.8, 2.0), Point(2, 0.9, 100.0)]).knee.trial
        1
        >>> ParetoFront.of([Point(0, 0.75, 1.0), Point(1, 0.80, 1.1)]).knee.trial
        1
        """
        members = self.useful.members
        merit_of = _scale([p.merit for p in members], at_least=HALVING)
        carbon_of = _scale([p.log_carbon for p in members], at_least=1.0)
        return max(members, key=lambda p: (merit_of(p.merit) - carbon_of(p.log_carbon), -p.carbon_g))

    def contributions(self, box: Box) -> dict[int, float]:
        """The hypervolume contribution of each member, as a share of the box: the loss without it.

        >>> front = ParetoFront.of([Point(0, 0.5, 1.0), Point(1, 0.6, 10.0)])
        >>> {trial: round(share, 3) for trial, share in front.contributions(Box(0.0, 2.0)).items()}
        {0: 0.05, 1: 0.016}
        """
        width = box.max_log_g - box.min_log_g or 1.0
        heights = [point.merit for point in self.members]
        rights = [*(point.log_carbon for point in self.members[1:]), box.max_log_g]
        return {
            point.trial: (height - below) * (right - point.log_carbon) / width
            for point, height, below, right in zip(self.members, heights, [0.0, *heights], rights, strict=False)
        }

    def hypervolume(self, box: Box) -> float:
        """Share of `box` that the front dominates, from 0 to 1; it grows with every better member."""
        return box.dominated_share(self.members)


@dataclass(frozen=True)
class Box:
    """The rectangle in which hypervolume is measured: the logarithm of the error, and that of the grams.

    The error is 1 - score, from 1 (a constant prediction in R2, the worst possible F1) to 0.001; the grams range from
    the cheapest to the most expensive complete trial of the study.
    """

    min_log_g: float
    max_log_g: float

    @staticmethod
    def around(points: Iterable[Point]) -> Box:
        """The box between the cheapest and the most expensive of `points`."""
        logs = [p.log_carbon for p in points] or [0.0]
        return Box(min(logs), max(logs))

    def with_point(self, point: Point) -> Box:
        """The box extended to one more point."""
        return Box(min(self.min_log_g, point.log_carbon), max(self.max_log_g, point.log_carbon))

    def dominated_share(self, members: Sequence[Point]) -> float:
        """Hypervolume of members sorted by grams, normalised to the box."""
        width = self.max_log_g - self.min_log_g
        if width <= 0.0:
            return max((p.merit for p in members), default=0.0)
        share, covered = 0.0, 0.0
        for point in members:
            height = point.merit
            if height > covered:
                share += (height - covered) * (self.max_log_g - point.log_carbon) / width
                covered = height
        return share


def hypervolume_history(points: Sequence[Point]) -> list[float]:
    """Hypervolume after each point, in the box of the whole history, so that it never decreases."""
    box, history, front = Box.around(points), [], ParetoFront(())
    for point in points:
        front = ParetoFront.of([*front.members, point])
        history.append(front.hypervolume(box))
    return history


def _scale(values: Sequence[float], *, at_least: float) -> Callable[[float], float]:
    low, width = min(values), max(max(values) - min(values), at_least)
    return lambda value: (value - low) / width
