"""All results of a search so far, and their front."""

from __future__ import annotations

from cemai_opt.core.front import Box, ParetoFront, Point
from cemai_opt.core.objective import objective_g
from cemai_opt.core.result import TrialResult
from cemai_opt.core.study import ResolvedStudy

MIN_GAIN = 0.0005
"""A gain in hypervolume below this does not count for `patience`."""


class TrialHistory:
    """Results of this and earlier sessions, by trial and by configuration.

    `points` are complete trials that satisfy the constraints, without repeats. `n_run` and `spent_j` count trials only,
    so that a replayed search makes the same decisions; `spent_j` is what they would have spent on all rows.
    """

    def __init__(self, study: ResolvedStudy) -> None:
        self._study = study
        self.results: list[TrialResult] = []
        self.points: list[Point] = []
        self.by_digest: dict[str, TrialResult] = {}
        self.by_trial: dict[int, TrialResult] = {}
        self.numbers: set[int] = set()
        self.front, self.box = ParetoFront(()), Box.around(())
        self.n_run, self.spent_j = 0, 0.0
        self._stagnation, self._last_gain = 0, ParetoFront(())

    def add(self, result: TrialResult) -> None:
        """Adds a finished trial."""
        self.results.append(result)
        self.numbers.add(result.trial)
        self.n_run += result.has_run
        self.spent_j += result.factor * result.spent.energy_j
        if result.is_repeat or result.is_skipped:
            return
        self.by_digest[result.config.digest] = self.by_trial[result.trial] = result
        if result.is_complete and result.score is not None:
            point = Point(result.trial, result.score, objective_g(self._study, result))
            if self._study.constraints.violation(point) <= 0.0:
                self.points.append(point)
                self.front = ParetoFront.of([*self.front, point])
                self.box = self.box.with_point(point) if len(self.points) > 1 else Box.around([point])

    @property
    def hypervolume(self) -> float:
        """Hypervolume of the front, in the box around all points."""
        return self.front.hypervolume(self.box)

    @property
    def members(self) -> list[TrialResult]:
        """Results of the front members, greenest first."""
        return [self.by_trial[point.trial] for point in self.front]

    def count_stagnation(self) -> None:
        """Counts one more trial with or without a gain in hypervolume."""
        if self.hypervolume - self._last_gain.hypervolume(self.box) > MIN_GAIN:
            self._last_gain, self._stagnation = self.front, 0
        else:
            self._stagnation += 1

    @property
    def has_stagnated(self) -> bool:
        """Whether there were `patience` trials in a row without a gain."""
        patience = self._study.search.patience
        return patience is not None and self._stagnation >= patience
