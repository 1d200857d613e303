"""The complete trials of a study, kept between calls: reading all of them for each new trial costs more and more."""

from __future__ import annotations

from array import array
from bisect import bisect
from collections.abc import Callable

import numpy as np
from optuna import Study
from optuna.trial import FrozenTrial, TrialState

from cemai_opt.core.batch import IntArray
from cemai_opt.core.front import Box, Constraints, ParetoFront, Point
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.space import MODEL

Thinning = Callable[[ParetoFront, Box], list[Point]]
"""Members of a front in the order in which they are kept, given the box around all feasible trials."""


class KnownTrials:
    """Complete trials with a score and a cost; in a study with another number of objectives there are none.

    A trial that is complete does not change, so only new ones are read.
    """

    def __init__(self, constraints: Constraints) -> None:
        self._constraints = constraints
        self._study: Study | None = None
        self._forget()

    def __len__(self) -> int:
        return len(self._points)

    def update(self, study: Study) -> None:
        """Reads the trials that were completed since the last call; all of them if the study is another one."""
        if study is not self._study:
            self._study = study
            self._forget()
        complete = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        n_new, new = len(complete) - len(self._numbers), list[FrozenTrial]()
        for trial in reversed(complete):  # new ones are usually the last ones
            if len(new) == n_new:
                break
            if trial.number not in self._numbers:
                new.append(trial)
        for trial in reversed(new):
            self._numbers.add(trial.number)
            if len(trial.values) == 2:
                self._add(trial)

    def point_of(self, trial: FrozenTrial) -> Point:
        """A trial in the plane of the objectives."""
        return self._points[self._place[trial.number]]

    def front_of(self, model: Value | None) -> list[FrozenTrial]:
        """The non-dominated trials of a model, greenest first."""
        own = ParetoFront.of(self._points[i] for i in self._by_model.get(model, ()))
        return [self._trials[self._place[point.trial]] for point in own]

    def fittest(self, n_wanted: int, thinned: Thinning) -> list[FrozenTrial]:
        """Non-dominated sorting: whole fronts first, the last one thinned (Deb et al. (2002), III-C).

        Trials that violate the user's constraints come last, in order of their violation (VI-A there).
        """
        violation, score = np.array(self._violation), np.array(self._score)
        left = self._greenest_first[violation[self._greenest_first] <= 0.0]
        box = Box.around(self._points[i] for i in left[[0, -1]]) if len(left) else Box.around(())
        chosen: list[int] = []
        while len(left) and len(chosen) < n_wanted:
            is_front = np.ones(len(left), bool)
            is_front[1:] = score[left][1:] > np.maximum.accumulate(score[left])[:-1]
            front = ParetoFront(tuple(self._points[i] for i in left[is_front]))
            left = left[~is_front]
            chosen += [self._place[point.trial] for point in thinned(front, box)]
        missing = np.flatnonzero(violation > 0.0)
        number = np.array([self._trials[i].number for i in missing])
        chosen += missing[np.lexsort((number, violation[missing]))].tolist()
        return [self._trials[i] for i in chosen[:n_wanted]]

    def _forget(self) -> None:
        self._numbers = set[int]()
        self._trials, self._points = list[FrozenTrial](), list[Point]()
        self._score, self._violation = array("d"), array("d")
        self._order = list[tuple[float, float, int]]()
        """Grams, negative score and number of each trial, ascending."""
        self._greenest_first: IntArray = np.zeros(0, np.int64)
        """Places of the trials in that order."""
        self._place, self._by_model = dict[int, int](), dict[Value | None, list[int]]()

    def _add(self, trial: FrozenTrial) -> None:
        point, i = Point(trial.number, trial.values[0], trial.values[1]), len(self._trials)
        self._trials.append(trial)
        self._points.append(point)
        self._score.append(point.score)
        key = (point.carbon_g, -point.score, point.trial)
        rank = bisect(self._order, key)
        self._order.insert(rank, key)
        self._greenest_first = np.insert(self._greenest_first, rank, i)
        self._violation.append(self._constraints.violation(point))
        self._place[point.trial] = i
        self._by_model.setdefault(trial.params.get(MODEL), []).append(i)
