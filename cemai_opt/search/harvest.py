"""Half-grown models as trials of their own: each point of a curve that no known pipeline dominates."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from cemai_opt.core.front import Front, Point, Wanted
from cemai_opt.core.genes import Value
from cemai_opt.core.objective import objective_g, wanted_of
from cemai_opt.core.result import TrialResult, harvested
from cemai_opt.core.space import SearchSpace
from cemai_opt.core.spec import StudySpec
from cemai_opt.search.samplers import PARENT


class Harvest:
    """Reads curves, and tells Optuna of what they hold."""

    def __init__(
        self,
        study: StudySpec,
        space: SearchSpace,
        optuna_study: optuna.Study,
        posted: Callable[[TrialResult], Mapping[str, Any]] = lambda child: {},
    ) -> None:
        """`posted` are further user attributes of a child."""
        self._study, self._space, self._optuna, self._posted = study, space, optuna_study, posted

    def of(self, parent: TrialResult, frozen: FrozenTrial, front: Front, known: Container[str]) -> list[TrialResult]:
        """Complete trials out of the curve of `parent`, which Optuna knows as `frozen`, and now knows as well.

        `known` are digests of pipelines that need no second entry. Sizes outside the search space are left out.
        """
        if parent.curve is None or not self._study.search.harvest or self._study.search.explain == "every":
            return []  # what was explained at another size is not comparable
        knob = f"{parent.model}.{parent.curve.knob}"
        if knob not in frozen.params:
            return []  # the space has fixed the size
        inside = [point for point in parent.curve.points if self._space.genes[knob].holds(point.size)]
        children = [harvested(parent, point, -1 - i) for i, point in enumerate(inside)]
        fresh = {child.trial: child for child in children if child.config.digest not in known}
        points = [Point(c.trial, c.score or 0.0, objective_g(self._study, c)) for c in fresh.values()]
        points = [point for point in points if wanted_of(self._study).violation(point) <= 0.0]
        chosen = [point for point in Front.of([*front, *points]) if point.trial in fresh]
        return [self._told(fresh[point.trial], point, frozen, knob) for point in chosen]

    def _told(self, child: TrialResult, point: Point, parent: FrozenTrial, knob: str) -> TrialResult:
        """The child under its number in Optuna's study: its old one where a killed session had told of it already."""
        size: Value = child.config.params("train")[knob.split(".", 1)[1]]
        mark = {"parent": parent.number, "size": size}
        number = self._number(parent.number, mark)
        if number is None:
            bounds = bounds_of(self._study, child)
            attributes = {PARENT: mark, "cemai": summary_of(child), **self._posted(child)}
            self._optuna.add_trial(_trial(point, parent, {**parent.params, knob: size}, attributes, bounds))
            number = self._number(parent.number, mark)
        assert number is not None, "it was added just now"
        return replace(child, trial=number)

    def _number(self, after: int, mark: Mapping[str, Any]) -> int | None:
        trials = self._optuna.get_trials(deepcopy=False)[after:]
        return next((trial.number for trial in reversed(trials) if trial.user_attrs.get(PARENT) == mark), None)


def _trial(
    point: Point,
    parent: FrozenTrial,
    params: dict[str, Any],
    attributes: dict[str, Any],
    bounds: dict[str, float],
) -> FrozenTrial:
    """What Optuna is told: complete, in its parent's generation, marked."""
    return optuna.trial.create_trial(
        params=params,
        distributions=parent.distributions,
        values=[point.score, point.carbon_g],
        constraints=bounds,
        user_attrs=attributes,
        system_attrs={key: value for key, value in parent.system_attrs.items() if key != "fixed_params"},
    )


def bounds_of(study: StudySpec, result: TrialResult) -> dict[str, float]:
    """By how much a complete trial misses the user's bounds, as Optuna's samplers want it: 0 or less is fine."""
    wanted = wanted_of(study)
    if wanted == Wanted() or not result.is_complete or result.score is None:
        return {}
    return {"wanted": wanted.violation(Point(result.trial, result.score, objective_g(study, result)))}


def summary_of(result: TrialResult) -> dict[str, object]:
    """What the dashboard shows of a trial beside its parameters."""
    return {
        "model": result.model,
        "energy_j": result.cost.energy_j,
        "duration_s": result.cost.duration_s,
        "uncertainty_j": result.cost.uncertainty_j,
        "reason": result.reason,
        "parent": result.parent,
    }
