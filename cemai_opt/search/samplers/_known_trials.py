"""The complete trials of a study, kept between calls: reading all of them for each new trial costs more and more."""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Callable, Sequence

from optuna import Study
from optuna.trial import FrozenTrial, TrialState

from cemai_opt.core.front import Box, Constraints, ParetoFront, Point
from cemai_opt.core.hyperparameters import Value
from cemai_opt.core.space import MODEL

_Ranked = tuple[tuple[float, float, int], Point]
"""A point with its grams, negative score and number, by which fronts are sorted."""
Order = Callable[[ParetoFront, Box], list[Point]]
"""Members of a front in the order in which they are kept, given the box around all feasible trials."""


class KnownTrials:
    """Complete trials with a score and a cost; in a study with another number of objectives there are none.

    A trial that is complete does not change, so only new ones are read.
    """

    def __init__(self, constraints: Constraints, order: Order) -> None:
        """`order`: which members of a front are kept first if there is no room for all."""
        self._constraints, self._order = constraints, order
        self._study: Study | None = None
        self._forget()

    def __len__(self) -> int:
        return len(self._trials)

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
        return self._points[trial.number]

    def front_of(self, model: Value | None) -> list[FrozenTrial]:
        """The non-dominated trials of a model, greenest first."""
        return [self._trials[point.trial] for point in self._of_model.get(model, ParetoFront(()))]

    def fittest(self, n_wanted: int) -> list[FrozenTrial]:
        """Non-dominated sorting: whole fronts first, a part of the last one (Deb et al. (2002), III-C).

        Trials that violate the user's constraints come last, in order of their violation (VI-A there).
        """
        chosen: list[int] = []
        for place in range(len(self._fronts)):
            if len(chosen) >= n_wanted:
                break
            chosen += self._numbers_in_order(place)
        chosen += [number for _, number in self._violating]
        return [self._trials[number] for number in chosen[:n_wanted]]

    def _numbers_in_order(self, place: int) -> list[int]:
        if place not in self._ordered:
            front = ParetoFront(tuple(point for _, point in self._fronts[place]))
            self._ordered[place] = [point.trial for point in self._order(front, self._box or Box.around(()))]
        return self._ordered[place]

    def _forget(self) -> None:
        self._numbers = set[int]()
        self._trials, self._points = dict[int, FrozenTrial](), dict[int, Point]()
        self._of_model = dict[Value | None, ParetoFront]()
        self._fronts = list[list[_Ranked]]()
        """Feasible trials, each front greenest first."""
        self._ordered = dict[int, list[int]]()
        """Numbers of the trials of a front in their order, by the place of the front, until it changes."""
        self._box: Box | None = None
        self._violating = list[tuple[float, int]]()
        """Violation and number of the others, ascending."""

    def _add(self, trial: FrozenTrial) -> None:
        point, model = Point(trial.number, trial.values[0], trial.values[1]), trial.params.get(MODEL)
        self._trials[trial.number], self._points[trial.number] = trial, point
        self._of_model[model] = ParetoFront.of([*self._of_model.get(model, ()), point])
        if violation := self._constraints.violation(point):
            insort(self._violating, (violation, trial.number))
            return
        box = Box.around([point]) if self._box is None else self._box.with_point(point)
        if box != self._box:
            self._box, self._ordered = box, {}
        ranked = ((point.carbon_g, -point.score, point.trial), point)
        first = bisect(self._fronts, False, key=lambda front: not _is_dominated(ranked, front))
        for place in range(first, _insert([ranked], self._fronts, first=first)):
            self._ordered.pop(place, None)


def _is_dominated(ranked: _Ranked, front: Sequence[_Ranked]) -> bool:
    """Whether a member is at least as green and as good; of equal trials, the earlier one is."""
    place = bisect(front, ranked[:1])
    return place > 0 and front[place - 1][1].score >= ranked[1].score


def _insert(moved: list[_Ranked], fronts: list[list[_Ranked]], *, first: int) -> int:
    """Inserts members of one front, greenest first, which none of front number `first` dominates.

    Those that they dominate there move to the next front in turn (Li et al. (2017), IEEE Trans. Cybern. 47(9)). Returns
    the number of the front at which this ended: from there on, nothing has changed.
    """
    for number in range(first, len(fronts)):
        front, dominated = fronts[number], list[_Ranked]()
        for ranked in moved:
            begin = end = bisect(front, ranked[:1])
            while end < len(front) and front[end][1].score <= ranked[1].score:
                end += 1
            dominated += front[begin:end]
            front[begin:end] = [ranked]
        if not dominated:
            return number + 1
        moved = dominated
    fronts.append(moved)
    return len(fronts)
